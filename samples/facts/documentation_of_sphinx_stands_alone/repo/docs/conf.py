project = "Field guide"
extensions = ["myst_parser"]
html_theme = "furo"
