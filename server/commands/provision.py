"""``python -m server provision federation.toml``: authority, server certificate, and a kit for each hospital."""

import argparse
from pathlib import Path

from shared.command_line import DONE

PURPOSE = "make the federation's certificates, and a kit for each hospital whose key was compared"


def add(command: argparse.ArgumentParser) -> None:
    """Its options."""
    command.add_argument("federation", type=Path, help="the coordinator's federation.toml")


def run(arguments: argparse.Namespace) -> int:
    """Do it, and say what is missing; typed again, it makes what is new and renews the server's certificate."""
    from server.federation_file import load_federation
    from server.provisioning import provision

    federation = load_federation(arguments.federation)
    admitted, waiting = provision(federation)
    for hospital in admitted:
        print(f"{hospital.name}: {hospital.fingerprint}, kit in {federation.file.state}/kits/{hospital.name}")
    for sentence in waiting:
        print(sentence)
    print(f"Certificates: {federation.file.state}/. Back up ca.key and server.key; never send them.")
    return DONE
