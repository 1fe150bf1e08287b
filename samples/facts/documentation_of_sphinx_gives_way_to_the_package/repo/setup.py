from setuptools import setup

setup(name='drizzle', py_modules=['drizzle'], install_requires=['click'], entry_points={'console_scripts': ['drizzle=drizzle:main']})
