from setuptools import setup

setup(
    name="larder",
    version="1.0",
    py_modules=["larder"],
    install_requires=["flask"],
    entry_points={"console_scripts": ["larder-web = larder:main"]},
)
