"""Optional libraries: one module each, the only importer of its library, reached inside functions."""
