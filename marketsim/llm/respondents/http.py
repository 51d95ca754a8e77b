"""A small HTTP/1.1 server on loopback: keep-alive, bodies by length, answers whole or in chunks. Nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

MAX_HEAD = 64 * 1024
MAX_BODY = 64 * 1024 * 1024


@dataclass(frozen=True)
class HttpRequest:
    """A request; names of headers in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class HttpReply:
    """An answer: a whole body, or chunks as they come."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    chunks: AsyncIterator[bytes] | None = None


class Disconnect(Exception):
    """Raised by a handler to end the connection without a word."""


Handler = Callable[[HttpRequest], Awaitable[HttpReply]]


class BadHttp(ValueError):
    """A request that this server does not understand."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        super().__init__(text)


class HttpServer:
    """Serves one handler.

    Parameters
    ----------
    handler : coroutine function
        Gets a request and returns a reply.
    """

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def start(self, port: int = 0) -> int:
        """Listen on 127.0.0.1 and return the port; 0 takes a free one."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", port, limit=MAX_HEAD, backlog=1024)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """End all connections."""
        if self._server is not None:
            self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, Disconnect, asyncio.CancelledError):
                while await self._serve_one(reader, writer):
                    pass
        finally:
            self._connections.discard(task)
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        try:
            request = await _read_request(reader)
        except BadHttp as error:
            await _write(writer, HttpReply(error.status, str(error).encode()), keep=False)
            return False
        if request is None:
            return False
        keep = request.headers.get("connection", "").lower() != "close"
        await _write(writer, await self._handler(request), keep=keep)
        return keep


async def _read_request(reader: asyncio.StreamReader) -> HttpRequest | None:
    """Return the next request of a connection; None at its end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise BadHttp(400, "the request ends in its head") from None
        return None
    except asyncio.LimitOverrunError:
        raise BadHttp(431, "the head is too long") from None
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadHttp(400, "expected an HTTP/1.1 request line")
    headers = {}
    for line in lines[1:-2]:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadHttp(400, f"expected a header; found {line!r}")
        headers[name.strip().lower()] = value.strip()
    return HttpRequest(words[0], words[1].partition("?")[0], headers, await _read_body(reader, headers))


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "transfer-encoding" in headers:
        raise BadHttp(411, "expected a Content-Length")
    length = headers.get("content-length", "0")
    if not length.isdigit():
        raise BadHttp(400, "expected a number as Content-Length")
    if int(length) > MAX_BODY:
        raise BadHttp(413, f"expected a body of at most {MAX_BODY} bytes")
    return await reader.readexactly(int(length))


async def _write(writer: asyncio.StreamWriter, reply: HttpReply, *, keep: bool) -> None:
    headers = {"content-type": "application/json", **reply.headers, "connection": "keep-alive" if keep else "close"}
    if reply.chunks is None:
        headers["content-length"] = str(len(reply.body))
    else:
        headers["transfer-encoding"] = "chunked"
    phrase = HTTPStatus(reply.status).phrase
    lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    if reply.chunks is None:
        writer.write(head + reply.body)
        await writer.drain()
        return
    writer.write(head)
    async for chunk in reply.chunks:
        writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    await writer.drain()
