"""Asking a language model: any OpenAI-compatible endpoint, by the official client, with an end to everyone's patience.

Relies on the `openai` extra, imported when it is first asked. The client retries what may pass (429, 5xx, a dropped
connection) with back-off; an answer that cannot be used is asked for again with what was wrong with it; after
`timeout` seconds in all, or `MAX_BYTES` of answer, it is over. Never decides what happens then: it raises.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from engine.errors import ProofsheetError
from engine.experiments.answer import BadAnswer

T = TypeVar("T")

MAX_BYTES = 8 * 1024**2
ASKED = 3  # times, when answers come but cannot be used
RETRIES = 3  # of one request, by the client, with back-off from half a second up


class EndpointFailed(ProofsheetError):
    """No usable answer came; the message says why."""


@dataclass(frozen=True)
class Endpoint:
    """Where and whom to ask. `base_url` None is OpenAI itself; `timeout` is for everything together, seconds."""

    api_key: str
    base_url: str | None
    model: str
    timeout: float = 60.0
    retries: int = RETRIES

    @classmethod
    def configured(cls, environment: Mapping[str, str], model: str, timeout: float) -> Endpoint | None:
        """By OPENAI_API_KEY and OPENAI_BASE_URL; None when neither is set. A local endpoint may need no key."""
        key = environment.get("OPENAI_API_KEY", "").strip()
        url = environment.get("OPENAI_BASE_URL", "").strip()
        return cls(key or "none", url or None, model, timeout) if key or url else None

    async def ask(self, prompt: str, read: Callable[[str], T]) -> T:
        """Send the prompt, read the answer with `read`, and ask again while it raises BadAnswer.

        Raises EndpointFailed when no usable answer came in time, or the `openai` package is not installed.
        """
        try:
            import openai
        except ImportError as error:
            raise EndpointFailed(
                "the openai package is not installed", remedy="pip install 'proofsheet[openai]'"
            ) from error
        messages: list[dict[str, str]] = [{"role": "user", "content": prompt}]
        try:
            client = openai.AsyncOpenAI(
                api_key=self.api_key, base_url=self.base_url, timeout=self.timeout, max_retries=self.retries
            )
        except (openai.OpenAIError, ValueError) as error:
            raise EndpointFailed(f"the endpoint cannot be used: {_short(error)}") from error
        async with client:
            try:
                async with asyncio.timeout(self.timeout):
                    return await self._until_usable(client, messages, read)
            except TimeoutError as error:
                raise EndpointFailed(f"no answer within {self.timeout:g} seconds") from error
            except openai.APIStatusError as error:
                raise EndpointFailed(_status(error.status_code)) from error
            except openai.APITimeoutError as error:
                raise EndpointFailed(f"no answer within {self.timeout:g} seconds") from error
            except openai.OpenAIError as error:
                raise EndpointFailed(f"the endpoint cannot be reached: {_short(error)}") from error

    async def _until_usable(self, client: Any, messages: list[dict[str, str]], read: Callable[[str], T]) -> T:
        reasons: tuple[str, ...] = ()
        for _ in range(ASKED):
            text = ""
            try:
                text = _content(await self._once(client, messages))
                return read(text)
            except BadAnswer as error:
                reasons = error.reasons
            said = [{"role": "assistant", "content": text[:20_000]}] if text else []
            again = (
                "That answer cannot be used: " + "; ".join(reasons) + ". Answer with the corrected JSON object only."
            )
            messages = [*messages[:1], *said, {"role": "user", "content": again}]
        raise EndpointFailed(f"{ASKED} answers could not be used; the last one: {'; '.join(reasons)}")

    async def _once(self, client: Any, messages: list[dict[str, str]]) -> bytes:
        """One answer's bytes. Connections that break in the middle of one are the caller's to hear of."""
        import openai

        received = bytearray()
        try:
            async with client.chat.completions.with_streaming_response.create(
                model=self.model, messages=messages, response_format={"type": "json_object"}
            ) as response:
                async for chunk in response.iter_bytes():
                    received += chunk
                    if len(received) > MAX_BYTES:
                        raise EndpointFailed(f"the answer is longer than {MAX_BYTES // 1024**2} MB")
        except (ProofsheetError, openai.OpenAIError):
            raise
        except Exception as error:
            raise EndpointFailed(
                f"the connection broke in the middle of the answer ({type(error).__name__})"
            ) from error
        return bytes(received)


def _content(answer: bytes) -> str:
    """The text of a chat completion. Raises BadAnswer for what is none."""
    try:
        content = json.loads(answer)["choices"][0]["message"]["content"]
    except (ValueError, RecursionError, KeyError, IndexError, TypeError) as error:
        raise BadAnswer(["the endpoint's answer is no chat completion"]) from error
    if not isinstance(content, str) or not content.strip():
        raise BadAnswer(["the answer is empty"])
    return content


def _status(code: int) -> str:
    if code in (401, 403):
        return f"the endpoint refused the key (HTTP {code}); look at OPENAI_API_KEY"
    if code == 404:
        return "the endpoint knows no such model or address (HTTP 404); look at OPENAI_BASE_URL and resize_model"
    if code == 429:
        return "the endpoint says that there were too many requests (HTTP 429), again and again"
    return f"the endpoint failed (HTTP {code})"


def _short(error: Exception) -> str:
    text = str(error) or type(error).__name__
    cause = error.__cause__
    if cause is not None and str(cause) and str(cause) not in text:
        text = f"{text} ({cause})"
    return text if len(text) <= 160 else text[:157] + "..."
