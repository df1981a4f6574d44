"""Servers without anything around them: GET a device of the stub, answer its JSON. No key, no checks, no outputs.

`python -m bench.rivals aiohttp|fastapi PORT STUB`
"""

import asyncio
import gc
import sys
from typing import Any

import aiohttp
import httpx
import orjson
import uvicorn
import uvloop
from aiohttp import web
from fastapi import FastAPI


async def serve_aiohttp(port: int, stub: str) -> None:
    """aiohttp on both sides, one session, orjson: about as little as Python can do."""
    async with aiohttp.ClientSession() as session:

        async def get_device(request: web.Request) -> web.Response:
            async with session.get(f"{stub}/api/v1/devices/{request.match_info['device_id']}") as answer:
                body = orjson.dumps(orjson.loads(await answer.read()))
            return web.Response(body=body, content_type="application/json")

        application = web.Application()
        application.router.add_get("/devices/{device_id}", get_device)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()


async def serve_fastapi(port: int, stub: str) -> None:
    """FastAPI and httpx, as their documentations have it."""
    application = FastAPI()
    async with httpx.AsyncClient() as client:

        @application.get("/devices/{device_id}")
        async def get_device(device_id: str) -> dict[str, Any]:
            answer = await client.get(f"{stub}/api/v1/devices/{device_id}")
            found: dict[str, Any] = answer.json()
            return found

        await uvicorn.Server(uvicorn.Config(application, port=port, log_level="warning", access_log=False)).serve()


if __name__ == "__main__":
    gc.collect()
    gc.freeze()  # as the host does
    _, rival, port, stub = sys.argv
    uvloop.run({"aiohttp": serve_aiohttp, "fastapi": serve_fastapi}[rival](int(port), stub))
