from setuptools import setup

setup(name="sift", py_modules=["sift"], entry_points={"console_scripts": ["sift = sift:main"]})
