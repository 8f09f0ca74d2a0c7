"""Settings: `HELIOGRAPH_*` environment variables, then `heliograph.toml` in the working folder, then the defaults here.

Each setting is documented in docs/reference/settings.md; a test holds that page and this module together.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

MiB = 1 << 20


EMBEDDED = "embedded"
"""The embedded engine, as a kind of model and as a fallback."""


class ModelSettings(BaseModel):
    """A model, `[models.<route>]` in heliograph.toml. What is not set about its abilities is probed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str = Field(
        default="openai",
        description="`embedded`, `openai` (any OpenAI-compatible endpoint), `gguf` (a file served here), or a provider of pydantic-ai.",
    )
    url: str | None = Field(default=None, description="Base URL, such as `http://127.0.0.1:8000/v1`.")
    model: str | None = Field(default=None, description="The model's id at that address. Unset: the only one it lists.")
    key: SecretStr | None = Field(default=None, description="Its API key. Better `key_env` or `key_file`.")
    key_env: str | None = Field(default=None, description="The environment variable that holds its API key.")
    key_file: Path | None = Field(default=None, description="The file that holds its API key.")
    path: Path | None = Field(default=None, description="The GGUF file, for `gguf`.")
    mmproj: Path | None = Field(default=None, description="The GGUF file of its vision projector, for `gguf`.")
    vision: bool | None = Field(default=None, description="Whether it takes images.")
    audio: bool | None = Field(default=None, description="Whether it takes audio.")
    video: bool | None = Field(default=None, description="Whether it takes video.")
    context: int | None = Field(default=None, gt=0, description="Tokens of prompt and answer together.")
    max_output: int | None = Field(default=None, gt=0, description="Tokens of one answer.")
    max_pictures: int | None = Field(default=None, gt=0, description="Images in one request.")
    longest_side: int | None = Field(default=None, gt=0, description="Longest side in pixels to which images are scaled.")
    json_mode: Literal["auto", "json_schema", "tool", "json_object", "prompt"] = Field(
        default="auto", description="How it is held to JSON; `auto` is the strongest that it accepts."
    )
    tool_calls: Literal["auto", "native", "schema"] = Field(
        default="auto",
        description="How it calls tools: as its server has it, or as JSON of a schema; `auto` is `schema` for llama.cpp and Ollama.",
    )
    dialect: Literal["auto", "openai", "vllm", "sglang", "llama.cpp", "ollama", "gemini", "anthropic", "plain"] = Field(
        default="auto", description="Whose rules JSON Schemas are lowered to."
    )
    coordinates: Literal["auto", "fraction", "0-999", "0-1000", "pixels", "0-1000-yx"] = Field(
        default="auto", description="How it writes boxes."
    )
    price_input: float = Field(default=0.0, ge=0, description="Price of a million tokens read.")
    price_output: float = Field(default=0.0, ge=0, description="Price of a million tokens written.")
    concurrency: int = Field(default=8, gt=0, description="Requests to it at a time, at most; fewer while it is overloaded.")
    timeout: float = Field(default=600.0, gt=0, description="Longest time for one answer, with its retries.")
    idle_timeout: float = Field(default=120.0, gt=0, description="Longest silence once it has begun to answer.")
    attempts: int = Field(default=4, gt=0, description="Tries of one request, where another try may help.")
    fallback: str | None = Field(
        default=None, description="The route that is asked when this one is out of service; `embedded` is the embedded engine."
    )
    egress: Literal["local", "cloud"] | None = Field(
        default=None, description="Whether requests leave your network. Unset: `local` for loopback and private addresses and GGUF."
    )
    fallback_to_cloud: bool = Field(default=False, description="Let a local route fall back to a cloud route.")
    headers: dict[str, str] = Field(default={}, description="Headers sent with each request.")
    options: dict[str, Any] = Field(default={}, description="Fields added to the body of each request, such as `chat_template_kwargs`.")


Ability = Literal["look", "detect", "segment", "depth", "generate", "reconstruct"]
"""What a provider can be asked: what a picture shows, where things are, their outlines, how far away, new pictures, things in space."""
SearchKind = Literal["searxng", "brave", "tavily"]


class ProviderSettings(BaseModel):
    """A provider of tools, `[providers.<name>]` in heliograph.toml: a model route, or a service behind a URL."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    route: str | None = Field(default=None, description="The `[models.<route>]` that answers, for a provider that is a language model.")
    url: str | None = Field(default=None, description="Base URL of a service that speaks the JSON of the page about toolsets.")
    does: list[Ability] | None = Field(
        default=None,
        description="What it can be asked: `look`, `detect`, `segment`, `depth`, `generate`, `reconstruct`. Unset: what its name says.",
    )
    key: SecretStr | None = Field(default=None, description="The service's API key. Better `key_env` or `key_file`.")
    key_env: str | None = Field(default=None, description="The environment variable that holds its API key.")
    key_file: Path | None = Field(default=None, description="The file that holds its API key.")
    headers: dict[str, str] = Field(default={}, description="Headers sent with each request.")
    timeout: float = Field(default=300.0, gt=0, description="Longest time for one answer.")

    @model_validator(mode="after")
    def _one_of_two(self) -> ProviderSettings:
        if (self.route is None) == (self.url is None):
            raise ValueError("a provider has a route or a url, one of the two")
        return self


class Settings(BaseSettings):
    """Everything an operator can set. Sizes are bytes and times seconds unless the name says otherwise."""

    model_config = SettingsConfigDict(env_prefix="HELIOGRAPH_", toml_file="heliograph.toml", extra="ignore")

    # where things are
    data_dir: Path = Field(default=Path(".heliograph"), description="Folder of the embedded database, the local blobs and the caches.")
    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL URL, `postgresql://user:password@host/name`. Unset: the embedded PostgreSQL in the data folder.",
    )
    store_url: str | None = Field(
        default=None, description="Where blobs live: `s3://bucket/prefix`, `gs://...`, `az://...`. Unset: a folder in the data folder."
    )
    public_url: str | None = Field(
        default=None, description="The address clients use, for links in answers. Unset: the host of each request."
    )
    trusted_proxies: Annotated[list[str], NoDecode] = Field(
        default=[], description="Addresses or CIDRs whose `X-Forwarded-*` headers are believed."
    )

    # serving
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    workers: int = Field(default=1, ge=0, description="Worker processes started by `heliograph serve`; 0 serves the API only.")
    api_key: SecretStr | None = Field(
        default=None, description="A key that always works for the tenant `default`; for tests and containers."
    )
    cors_origins: Annotated[list[str], NoDecode] = Field(
        default=[], description="Origins that browsers may call from, separated by commas."
    )
    metrics_public: bool = Field(default=False, description="Serve `/metrics` also when listening on an address other than loopback.")
    wait_timeout: float = Field(
        default=100.0,
        gt=0,
        description="Longest time a call with `batch: false` waits before it answers with the current status, and a model may take to "
        "write a skill.",
    )
    transcription_timeout: float = Field(
        default=600.0,
        gt=0,
        description="Longest time a call of OpenAI's transcription route waits; then it names the prediction, and asked again waits on.",
    )
    check_at_submit: float = Field(
        default=2.0,
        ge=0,
        description="Longest time that files are looked into before their request is accepted; 0 leaves it to the worker.",
    )
    rate_limit: int = Field(default=0, ge=0, description="Requests a minute per key; 0 is no limit. Polling and health checks never count.")
    credit_budget: int | None = Field(
        default=None, ge=0, description="Credits a tenant may use in a calendar month (UTC) before 402. Unset: no budget."
    )
    guests: bool = Field(
        default=False, description="Let callers without a key chat, a little a day; off, because their chats cost you and not them."
    )
    guest_chats: int = Field(default=10, ge=0, description="Chats a day (UTC) of one browser without a key.")
    guest_chats_per_address: int = Field(
        default=50, ge=0, description="Chats a day (UTC) of all browsers without a key at one address; of IPv6, at one /64."
    )
    max_body: int = Field(default=64 * MiB, gt=0, description="Largest JSON request body.")
    max_file: int = Field(default=1024 * MiB, gt=0, description="Largest uploaded or fetched file.")
    min_free_disk: int = Field(
        default=512 * MiB, ge=0, description="Free space in the data folder below which new work is refused with 503."
    )
    json_depth: int = Field(default=64, gt=0, description="Deepest nesting of a JSON request body.")

    # reaching out
    offline: bool = Field(
        default=False, description="Refuse every outgoing address but the database, the store, models on this machine and `fetch_allow`."
    )
    fetch_allow: Annotated[list[str], NoDecode] = Field(
        default=[],
        description="Hosts or CIDRs that URL inputs and webhooks may reach although private, and models offline, separated by commas.",
    )
    fetch_timeout: float = Field(default=60.0, gt=0, description="Longest time to fetch a URL input.")
    webhook_timeout: float = Field(default=30.0, gt=0, description="Longest time to wait for a webhook receiver.")

    # reading
    max_pages: int = Field(default=1000, gt=0, description="Most pages of one file that are read.")
    max_pixels: int = Field(default=200_000_000, gt=0, description="Most pixels of one image.")
    max_frames: int = Field(
        default=600,
        gt=0,
        description="Most frames of one recording that are looked at for words; every shot gets one, as far as they reach.",
    )
    max_duration: float = Field(
        default=13 * 3600.0, gt=0, description="Longest recording that is heard or watched: twelve hours and one to spare."
    )
    page_timeout: float = Field(default=60.0, gt=0, description="Longest time the reading of one page may take.")
    open_timeout: float = Field(default=60.0, gt=0, description="Longest time the opening of a file may take.")
    child_memory: int = Field(default=2048 * MiB, gt=0, description="Address space of a process that parses untrusted bytes.")
    child_recycle: int = Field(default=200, gt=0, description="Files after which a reading process is replaced.")
    cpu_budget: int = Field(default=0, ge=0, description="Threads for all engines on this machine together; 0 is one per core.")
    cache_ttl: float = Field(default=7 * 86400.0, ge=0, description="How long read pages are kept for reuse.")

    # hearing
    whisper_model: Path | None = Field(
        default=None,
        description="Folder of a Whisper model in CTranslate2's format, for speech in other languages than English; needs the extra "
        "`whisper`. Unset: the embedded engine.",
    )
    speech_url: str | None = Field(
        default=None,
        description="Base URL of an OpenAI-compatible endpoint that transcribes, such as `http://127.0.0.1:8000/v1`.",
    )
    speech_model: str | None = Field(default=None, description="The model's id at that address. Unset: `whisper-1`.")
    speech_key: SecretStr | None = Field(default=None, description="Its API key.")
    speech_timeout: float = Field(default=300.0, gt=0, description="Longest time it may take for half a minute of sound.")
    speech_language: str | None = Field(
        default=None, description="The language that is spoken where a request does not say, ISO 639-1. Unset: the engine finds out."
    )

    # working
    concurrency: int = Field(default=2, gt=0, description="Jobs that one worker process runs at a time.")
    agent_concurrency: int = Field(
        default=4, gt=0, description="Chats and executions that one worker process runs at a time, besides its other jobs."
    )
    agent_artifacts: int = Field(default=1024 * MiB, gt=0, description="Bytes of artifacts that one chat completion or execution may make.")
    agent_steps: int = Field(
        default=24,
        gt=0,
        description="Turns of the model in one run at the tier `auto`; `lite` has a quarter, `fast` half, `pro` twice as many.",
    )
    agent_tokens: int = Field(
        default=400_000, gt=0, description="Tokens that one run may use at the tier `auto`, without those from the model's prefix cache."
    )
    agent_credits: int | None = Field(
        default=None, gt=0, description="Credits that one run at the tier `auto` may cost, before its service tier; unset is no limit."
    )
    agent_seconds: float = Field(default=900.0, gt=0, description="Longest time that one run at the tier `auto` may take.")
    agent_listeners: float = Field(
        default=30.0, gt=0, description="How long a chat completion goes on after the last who listened to it has left."
    )
    heartbeat: float = Field(default=2.0, gt=0, description="How often a worker says that it lives.")
    stalled_after: float = Field(default=8.0, gt=0, description="Silence after which a worker's jobs are given to another.")
    worker_memory: int = Field(
        default=1024 * MiB,
        gt=0,
        description="Memory of a worker process, without its engines, above which it hands back its jobs and starts anew.",
    )
    worker_metrics_port: int = Field(
        default=0,
        ge=0,
        le=65_535,
        description="The first loopback port at which workers serve `/metrics`, each at the next free one; 0 is none.",
    )
    max_attempts: int = Field(default=3, gt=0, description="Workers that a job may kill before it fails for good.")
    drain_timeout: float = Field(default=20.0, gt=0, description="How long a stopping worker may finish the step it is in.")
    webhook_attempts: int = Field(default=8, gt=0, description="Deliveries tried over 24 hours.")

    # programs
    sandbox: Literal["bubblewrap", "subprocess", "off"] = Field(
        default="bubblewrap",
        description="How programs that models and skills wrote are run: inside bubblewrap, in a plain process that only Landlock and "
        "seccomp hold, or not at all.",
    )
    sandbox_runs: int = Field(default=2, gt=0, description="Programs that one worker process runs at a time.")
    sandbox_idle: float = Field(
        default=600.0, gt=0, description="Time without a program after which the interpreter that is kept warm is let go."
    )
    sandbox_timeout: float = Field(default=300.0, gt=0, description="Longest time a program may take, with the tools it calls.")
    sandbox_cpu: int = Field(default=60, gt=0, description="Processor time a program may use itself.")
    sandbox_memory: int = Field(default=1024 * MiB, gt=0, description="Memory a program may take beside the libraries loaded for it.")
    sandbox_disk: int = Field(default=256 * MiB, gt=0, description="Size of a program's files together; they lie in memory.")

    # models
    model_url: str | None = Field(
        default=None, description="Base URL of the model that answers by default. For more than one: `[models.<route>]` in heliograph.toml."
    )
    model_name: str | None = Field(default=None, description="Its id at that address. Unset: the only one it lists.")
    model_key: SecretStr | None = Field(default=None, description="Its API key.")
    model_kind: str = Field(default="openai", description="Its kind, as in `[models.<route>]`.")
    model_patience: float = Field(
        default=3600.0, ge=0, description="How long a prediction waits, `paused`, for a model that cannot be reached, before it fails."
    )
    models: dict[str, ModelSettings] = Field(
        default={}, description="Models by route, one table each; the [page about models](../how-to/model.md) has their keys."
    )

    # tools
    providers: dict[str, ProviderSettings] = Field(
        default={},
        description="Providers of tools by name, one table each; see the [page about toolsets](../how-to/toolsets.md).",
    )
    search_kind: SearchKind | None = Field(
        default=None, description="Who searches the web for tools: `searxng`, `brave` or `tavily`. Unset: nobody does."
    )
    search_url: str | None = Field(
        default=None, description="Base URL of the search service: that of your SearXNG. Unset for the others: their own."
    )
    search_key: SecretStr | None = Field(default=None, description="Its API key, for `brave` and `tavily`.")

    passthrough_sync: bool = Field(
        default=False,
        description="Let a chat that is passed straight on to a model end only when the database's disk has its turn. Without, the turn is "
        "committed, and a crash of the database itself can lose those of its last second.",
    )

    # keeping
    file_ttl: float = Field(default=0.0, ge=0, description="How long uploaded files are kept; 0 is forever.")
    prediction_ttl: float = Field(
        default=0.0, ge=0, description="How long predictions, executions and logged chats are kept; 0 is forever."
    )
    session_ttl: float = Field(
        default=0.0, ge=0, description="How long a chat session is kept, with all that was made in it, after its last turn; 0 is forever."
    )
    guest_ttl: float = Field(default=7 * 86400.0, ge=0, description="As `session_ttl`, for the sessions of callers without a key.")
    idempotency_ttl: float = Field(default=86400.0, gt=0, description="How long an `Idempotency-Key` is remembered.")
    unretained_ttl: float = Field(
        default=3600.0,
        ge=0,
        description="How long work with `allow_retention: false` is kept after completion when it was not delivered before.",
    )
    public_file_ttl: float = Field(default=7 * 86400.0, gt=0, description="How long a public file URL works.")
    download_ttl: float = Field(default=3600.0, gt=0, description="How long a download URL works.")

    # logging
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="How much is logged.")
    log_json: bool = Field(default=False, description="Log one JSON object a line.")

    @field_validator("trusted_proxies", "cors_origins", "fetch_allow", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _providers_have_routes(self) -> Settings:
        known = self.routes()
        for name, provider in self.providers.items():
            if provider.route is not None and provider.route not in known:
                raise ValueError(f"providers.{name}.route names {provider.route!r}, which is not configured")
        return self

    @model_validator(mode="after")
    def _fallbacks_lead_somewhere(self) -> Settings:
        known = self.routes()
        for name, model in known.items():
            path = [name]
            while model.fallback is not None and model.fallback != EMBEDDED:
                if model.fallback not in known:
                    raise ValueError(f"models.{path[-1]}.fallback names {model.fallback!r}, which is not configured")
                if known[model.fallback].kind == "embedded":
                    raise ValueError(f"models.{path[-1]}.fallback names {model.fallback!r}, which is the embedded engine; say `embedded`")
                if model.fallback in path:
                    raise ValueError(f"fallbacks go in a circle: {' -> '.join([*path, model.fallback])}")
                path.append(model.fallback)
                model = known[model.fallback]  # noqa: PLW2901
        return self

    def routes(self) -> dict[str, ModelSettings]:
        """Every configured model by route; the one of `model_url` is `default`, unless a table has that name."""
        made = dict(self.models)
        if "default" not in made and (self.model_url is not None or self.model_kind not in ("openai", "embedded")):
            made["default"] = ModelSettings(kind=self.model_kind, url=self.model_url, model=self.model_name, key=self.model_key)
        return made

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, and the environment over heliograph.toml."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


@cache
def settings() -> Settings:
    """The process's settings, read once. Tests build `Settings(...)` themselves and pass it down."""
    return Settings()
