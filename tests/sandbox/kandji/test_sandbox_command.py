"""The command `python -m sandbox`."""

import socket
import subprocess
import sys

import httpx
import pytest

from sandbox.__main__ import main


def test_an_unknown_system_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """The usage names the systems there are."""
    assert main(["nothing"]) == 2
    assert "python -m sandbox {assetbots,kandji,snipeit}" in capsys.readouterr().err


def test_a_tenant_tells_its_address_and_token() -> None:
    """What it prints is enough to call it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "sandbox", "kandji", "--port", str(port), "--devices", "3"]

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        words = [process.stdout.readline().split() for _ in range(3)]
        transport = httpx.HTTPTransport(retries=5)
        with httpx.Client(transport=transport, headers={"Authorization": f"Bearer {words[2][1]}"}) as client:
            devices = client.get(f"{words[1][1]}/api/v1/devices").json()
        process.terminate()

    assert len(devices) == 3
