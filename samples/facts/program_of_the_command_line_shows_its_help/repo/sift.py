import argparse


def main():
    argparse.ArgumentParser(description="Sifts tables.").parse_args()
