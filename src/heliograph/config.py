"""Settings: `HELIOGRAPH_*` environment variables, then `heliograph.toml` in the working folder, then the defaults here.

Each setting is documented in docs/reference/settings.md; a test holds that page and this module together.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

MiB = 1 << 20


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
        default=100.0, gt=0, description="Longest time a call with `batch: false` waits before it answers with the current status."
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
    max_body: int = Field(default=64 * MiB, gt=0, description="Largest JSON request body.")
    max_file: int = Field(default=1024 * MiB, gt=0, description="Largest uploaded or fetched file.")
    min_free_disk: int = Field(
        default=512 * MiB, ge=0, description="Free space in the data folder below which new work is refused with 503."
    )
    json_depth: int = Field(default=64, gt=0, description="Deepest nesting of a JSON request body.")

    # reaching out
    offline: bool = Field(default=False, description="Refuse every outgoing address but the database, the store and `fetch_allow`.")
    fetch_allow: Annotated[list[str], NoDecode] = Field(
        default=[], description="Hosts or CIDRs that URL inputs and webhooks may reach although they are private, separated by commas."
    )
    fetch_timeout: float = Field(default=60.0, gt=0, description="Longest time to fetch a URL input.")
    webhook_timeout: float = Field(default=30.0, gt=0, description="Longest time to wait for a webhook receiver.")

    # reading
    max_pages: int = Field(default=1000, gt=0, description="Most pages of one file that are read.")
    max_pixels: int = Field(default=200_000_000, gt=0, description="Most pixels of one image.")
    page_timeout: float = Field(default=60.0, gt=0, description="Longest time the reading of one page may take.")
    open_timeout: float = Field(default=60.0, gt=0, description="Longest time the opening of a file may take.")
    child_memory: int = Field(default=2048 * MiB, gt=0, description="Address space of a process that parses untrusted bytes.")
    child_recycle: int = Field(default=200, gt=0, description="Files after which a reading process is replaced.")
    cpu_budget: int = Field(default=0, ge=0, description="Threads for all engines on this machine together; 0 is one per core.")
    cache_ttl: float = Field(default=7 * 86400.0, ge=0, description="How long read pages are kept for reuse.")

    # working
    concurrency: int = Field(default=2, gt=0, description="Jobs that one worker process runs at a time.")
    heartbeat: float = Field(default=2.0, gt=0, description="How often a worker says that it lives.")
    stalled_after: float = Field(default=8.0, gt=0, description="Silence after which a worker's jobs are given to another.")
    worker_memory: int = Field(
        default=1024 * MiB,
        gt=0,
        description="Memory of a worker process, without its engines, above which it hands back its jobs and starts anew.",
    )
    max_attempts: int = Field(default=3, gt=0, description="Workers that a job may kill before it fails for good.")
    drain_timeout: float = Field(default=20.0, gt=0, description="How long a stopping worker may finish the step it is in.")
    webhook_attempts: int = Field(default=8, gt=0, description="Deliveries tried over 24 hours.")

    # keeping
    file_ttl: float = Field(default=0.0, ge=0, description="How long uploaded files are kept; 0 is forever.")
    prediction_ttl: float = Field(default=0.0, ge=0, description="How long predictions are kept; 0 is forever.")
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
