project = "Star atlas"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinxcontrib.mermaid"]
html_theme = "sphinx_rtd_theme"
