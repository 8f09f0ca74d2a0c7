"""Errors as each kind of server words them.

Sources: openai, https://platform.openai.com/docs/guides/error-codes. vllm, `ErrorResponse` of vllm/entrypoints/openai and issues 20409
(context), 9739 (images), 8942 (continue_final_message). sglang, python/sglang/srt/entrypoints/openai/serving_base.py. llama.cpp, pulls
15780 (exceed_context_size_error) and 23012, tools/server. ollama, openai/openai.go. gemini,
https://ai.google.dev/gemini-api/docs/troubleshooting. anthropic, https://platform.claude.com/docs/en/api/errors.
"""

from __future__ import annotations

from typing import Any, Literal

from heliograph.models.contract import Dialect

Protocol = Literal["openai", "anthropic", "gemini"]


class Fault(Exception):
    """An error answer. `code` as OpenAI has it; `more`: fields beside the message."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, param: str | None = None, more: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.param, self.more = status, message, code, param, more or {}

    def body(self, dialect: Dialect, protocol: Protocol) -> Any:
        """The JSON of this error."""
        if protocol == "anthropic":
            return {
                "type": "error",
                "error": {"type": _ANTHROPIC.get(self.status, "api_error"), "message": self.message},
                "request_id": "req_scripted",
            }
        if dialect == "gemini" or protocol == "gemini":
            error = {"error": {"code": self.status, "message": self.message, "status": _GEMINI.get(self.status, "INTERNAL")}}
            return error if protocol == "gemini" else [error]
        kind = _OPENAI.get(self.status, "server_error")
        match dialect:
            case "vllm":
                return {
                    "error": {
                        "message": self.message,
                        "type": _PYTHON.get(self.status, "InternalServerError"),
                        "param": self.param,
                        "code": self.status,
                    }
                }
            case "sglang":
                kind = _PYTHON.get(self.status, "InternalServerError")
                return {"object": "error", "message": self.message, "type": kind, "param": self.param, "code": self.status}
            case "llama.cpp":
                kind = self.code or {500: "server_error", 503: "unavailable_error", 404: "not_found_error"}.get(self.status, kind)
                return {"error": {"code": self.status, "message": self.message, "type": kind, **self.more}}
            case "ollama":
                kind = {400: "invalid_request_error", 404: "not_found_error"}.get(self.status, "api_error")
                return {"error": {"message": self.message, "type": kind, "param": None, "code": None}}
            case _:
                return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


_OPENAI = {
    400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "invalid_request_error",
    413: "invalid_request_error", 422: "invalid_request_error", 429: "rate_limit_exceeded",
}  # fmt: skip
_PYTHON = {400: "BadRequestError", 401: "UnauthorizedError", 404: "NotFoundError", 429: "RateLimitError", 503: "ServiceUnavailableError"}
_GEMINI = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED",
}  # fmt: skip
_ANTHROPIC = {
    400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error", 404: "not_found_error",
    413: "request_too_large", 429: "rate_limit_error", 504: "timeout_error", 529: "overloaded_error",
}  # fmt: skip


def no_model(dialect: Dialect, name: str) -> Fault:
    """The model is not served here."""
    said = {
        "openai": f"The model `{name}` does not exist or you do not have access to it.",
        "vllm": f"The model `{name}` does not exist.",
        "ollama": f"model '{name}' not found",
        "gemini": f"models/{name} is not found for API version v1beta, or is not supported for generateContent.",
        "anthropic": f"model: {name}",
    }
    return Fault(404, said.get(dialect, f"The model `{name}` does not exist."), code="model_not_found", param="model")


def no_key(dialect: Dialect) -> Fault:
    """The key is missing or wrong."""
    said = {
        "openai": "Incorrect API key provided.",
        "vllm": "Unauthorized",
        "llama.cpp": "Invalid API Key",
        "gemini": "API key not valid. Please pass a valid API key.",
        "anthropic": "invalid x-api-key",
    }
    return Fault(400 if dialect == "gemini" else 401, said.get(dialect, "Unauthorized"), code="invalid_api_key")


def too_long(dialect: Dialect, context: int, prompt: int, wanted: int | None) -> Fault | None:
    """The request is larger than the context; None where this kind of server takes it (or cuts it silently, as Ollama does)."""
    total = prompt + (wanted or 0)
    if dialect == "ollama" or total <= context:
        return None
    match dialect:
        case "vllm":
            parts = f"{total} tokens ({prompt} in the messages, {wanted or 0} in the completion)"
            return Fault(
                400,
                f"This model's maximum context length is {context} tokens. However, you requested {parts}. "
                "Please reduce the length of the messages or completion.",
            )
        case "sglang":
            if prompt > context:
                return Fault(400, f"The input ({prompt} tokens) is longer than the model's context length ({context} tokens).")
            return Fault(
                400,
                f"Requested token count exceeds the model's maximum context length of {context} tokens. You requested a total of {total} "
                f"tokens: {prompt} tokens from the input messages and {wanted} tokens for the completion.",
            )
        case "anthropic":
            if prompt > context:
                return Fault(400, f"prompt is too long: {prompt} tokens > {context} maximum")
            return Fault(
                400,
                f"input length and `max_tokens` exceed context limit: {prompt} + {wanted} > {context}, "
                "decrease input length or `max_tokens` and try again",
            )
        case _:
            pass
    if prompt <= context:
        return None
    match dialect:
        case "llama.cpp":
            return Fault(
                400,
                f"request ({prompt} tokens) exceeds the available context size ({context} tokens), try increasing it",
                code="exceed_context_size_error",
                more={"n_prompt_tokens": prompt, "n_ctx": context},
            )
        case "gemini":
            return Fault(400, f"The input token count ({prompt}) exceeds the maximum number of tokens allowed ({context}).")
        case _:
            return Fault(
                400,
                f"This model's maximum context length is {context} tokens. However, your messages resulted in {prompt} tokens. "
                "Please reduce the length of the messages.",
                code="context_length_exceeded",
                param="messages",
            )


def no_pictures(dialect: Dialect) -> Fault:
    """The model sees nothing."""
    match dialect:
        case "llama.cpp":
            return Fault(500, "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj")
        case "ollama":
            return Fault(400, "this model is missing data required for image input")
        case "openai":
            return Fault(
                400, "Invalid content type. image_url is only supported by certain models.", param="messages", code="invalid_value"
            )
        case _:
            return Fault(400, "At most 0 image(s) may be provided in one prompt.")


def too_many_pictures(dialect: Dialect, most: int) -> Fault:
    """More pictures in a request than are taken."""
    if dialect == "anthropic":
        return Fault(400, f"Too many images: the maximum is {most}.")
    return Fault(400, f"At most {most} image(s) may be provided in one prompt.")


def bad_schema(dialect: Dialect, name: str, problem: str, protocol: Protocol) -> Fault:
    """The schema is not one that this kind of server decodes under."""
    where, _, what = problem.partition(": ")
    match dialect:
        case "openai":
            context = tuple(part for part in where.removeprefix("#").split("/") if part)
            return Fault(400, f"Invalid schema for response_format '{name}': In context={context}, {what}", param="response_format")
        case "vllm":
            return Fault(400, f"The provided JSON schema contains features not supported by xgrammar. ({problem})")
        case "llama.cpp":
            return Fault(400, f"JSON schema conversion failed:\n{problem}")
        case "ollama":
            return Fault(500, "failed to load model vocabulary required for format")
        case "anthropic":
            return Fault(400, f"output_config.format.schema: {what} ({where})")
        case "gemini":
            return Fault(400, f"Invalid JSON payload received. {what.rstrip('.')} at 'generation_config.response_json_schema{where[1:]}'.")
        case _:
            return Fault(400, f"Failed to compile the JSON schema: {problem}")
