"""Bodies of `/{image,document,audio,video}/{generate,execute,schema}`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from heliograph.ids import new_id
from heliograph.wire.base import Received, leave_open
from heliograph.wire.skills import AgentSkill

DocumentDomain = Literal[
    "document.invoice",
    "document.markdown",
    "document.receipt",
    "document.resume",
    "document.us-drivers-license",
    "document.layout-detection",
    "construction.blueprint",
    "healthcare.patient-referral",
    "healthcare.patient-identification",
    "healthcare.physician-order",
    "healthcare.claims-processing",
    "healthcare.phi-redaction",
    "healthcare.phi-edit-replace",
    "healthcare.lab-report",
    "healthcare.prior-authorization-request",
    "healthcare.explanation-of-benefits",
]
AudioDomain = Literal["audio.transcription", "audio.transcription-summary"]
VideoDomain = Literal[
    "video.transcription",
    "video.transcription-summary",
    "video.product-demo-summary",
    "video.conferencing-summary",
    "video.podcast-summary",
    "video.summary",
    "video.dashcam-analytics",
]
ServiceTier = Literal["auto", "default", "standard", "flex", "priority"]
AtLeastOne = Annotated[int, Field(ge=1)]
Url = Annotated[str, Field(min_length=1, json_schema_extra={"format": "uri"})]
PredictionId = Annotated[str, Field(min_length=1, max_length=255)]


def now() -> datetime:
    """The time, UTC: what `created_at` is where a client does not say it."""
    return datetime.now(UTC)


class GenerationConfig(Received):
    """Request configuration for image/document/audio/video generation."""

    # unknown options are kept, so that the plan can warn of them; the published schema says nothing of them
    model_config = ConfigDict(extra="allow", json_schema_extra=leave_open)

    prompt: str | None = Field(
        default=None,
        description="Instructions appended to the domain's or skill's prompt; the embedded engine takes label hints from them.",
    )
    detail: Literal["auto", "hi", "lo"] = Field(default="auto", description="The detail level to use for processing multimodal data.")
    json_schema: dict[str, Any] | None = Field(
        default=None, description="The JSON schema of the answer, to be used instead of the domain's."
    )
    skills: list[AgentSkill] | None = Field(default=None, description="List of agent skills to enable for this generation request.")
    gql_stmt: str | None = Field(
        default=None, description="A GraphQL selection over the domain's schema; the answer holds only what it names."
    )
    max_retries: int = Field(
        default=1, description="How often a model may mend an answer that does not fit. No effect on the embedded engine."
    )
    max_tokens: int = Field(default=65535, description="The most tokens of one answer of a model. No effect on the embedded engine.")
    temperature: float = Field(default=0, description="The sampling temperature of a model. No effect on the embedded engine.")
    confidence: bool = Field(default=False, description="Include confidence in the response (in the fields' `_metadata`).")
    grounding: bool = Field(default=False, description="Include grounding in the response (in the fields' `_metadata`).")
    keyframes: bool = Field(default=False, description="Include keyframes in the video transcription response.")
    video_segment_duration: Annotated[float, Field(ge=1)] | None = Field(
        default=None, description="Duration in seconds of each video segment. Defaults to 150.0s."
    )
    video_frames_per_segment: AtLeastOne | None = Field(
        default=None, description="Number of frames to sample per video segment. Defaults to 8."
    )
    video_model: str | None = Field(
        default=None, description="Model to use for video segment captioning. When omitted, the server default."
    )
    video_input_mode: Literal["frames", "native_video"] | None = Field(
        default=None, description="How to pass video to the captioning model."
    )
    video_transcribe_audio: bool = Field(default=False, description="Transcribe the audio track to align segment boundaries.")
    chat_context: str | None = Field(default=None, description="Plain-text chat transcript used to ground video captioning.")
    language: str | None = Field(default=None, description="The language that is spoken (ISO 639-1); found out where not said.")
    diarization: bool = Field(default=False, description="Tell the speakers of a recording apart: `speaker` with each segment.")
    page_indices: list[int] | None = Field(
        default=None, description="0-indexed page indices to process for document files. If None, all pages are processed."
    )
    use_context_cache: bool = Field(
        default=True, description="Reuse what was read from the same content before. Set to False to read it again."
    )
    service_tier: ServiceTier | None = Field(
        default=None, description="Delivery tier: 'flex' costs half and waits, 'priority' costs 1.8 times and goes first, else 'standard'."
    )


class RequestMetadata(Received):
    """Metadata for the request."""

    environment: Literal["dev", "staging", "prod"] = Field(default="dev", description="The environment where the request was made.")
    session_id: str | None = Field(default=None, description="The session ID of the request")
    allow_logging: bool = Field(default=True, description="Whether to enable logs for this request.")
    allow_training: bool = Field(default=True, description="Whether the file can be used for training")
    allow_retention: bool = Field(
        default=True, description="Whether to allow retention of the data. If not, it is deleted soon after it was delivered."
    )
    extra: dict[str, Any] = Field(default_factory=dict, description="Extra metadata for the request (e.g. `dataset_id`, `subset_id`).")


class Request(Received):
    """What every body has."""

    metadata: RequestMetadata = Field(default_factory=RequestMetadata, description="Optional metadata to pass to the model.")
    config: GenerationConfig = Field(
        default_factory=GenerationConfig, description="The VLM generation config to be used for /<dtype>/generate."
    )
    id: PredictionId = Field(
        default_factory=new_id, description="Unique identifier of the request. The same id with the same body is the same request."
    )
    created_at: datetime = Field(default_factory=now, description="Date and time when the request was created (in UTC timezone)")
    callback_url: Url | None = Field(default=None, description="The URL to call when the request is completed.")
    batch: bool = Field(default=True, description="Whether to process the document in batch mode (async).")
    model: Literal["vlm-1"] | str = Field(default="vlm-1", description="The model to use for generating the response.")


class _File(Received):
    url: str | None = Field(
        default=None, description="The URL of the file (provide either `file_id` or `url`). A `data:` URI is taken too."
    )
    file_id: str | None = Field(default=None, description="The ID of the uploaded file (provide either `file_id` or `url`).")


class _Images(Received):
    images: list[str] = Field(
        min_length=1, max_length=1000, description="URLs or `data:` URIs of images; several are the pages of one document."
    )


class _Execute(Request):
    name: str = Field(
        min_length=1, max_length=255, description="What to run: a domain, such as `document.invoice` or `document/invoice`, or a skill."
    )
    version: str | int = Field(default="latest", description="The version of the skill; a domain has only `latest`.")


class _Propose(Request):
    batch: bool = Field(default=False, description="Whether to process the file in batch mode (async).")


class DocumentFilePredictionRequest(Request, _File):
    """Request to the VLM API using a document (doc, docx, pptx, pdf)."""

    domain: DocumentDomain | str | None = Field(
        default=None,
        description="The domain identifier (e.g. `document.invoice`). Optional when a skill or a schema is provided in config.",
    )


class AudioFilePredictionRequest(Request, _File):
    """Request to the VLM API using a recording of sound (wav, mp3, m4a, flac, ogg, webm); of a video, its sound is taken."""

    domain: AudioDomain | str | None = Field(
        default=None,
        description="The domain identifier (e.g. `audio.transcription`). Optional when a skill or a schema is provided in config.",
    )


class VideoFilePredictionRequest(Request, _File):
    """Request to the VLM API using a video (mp4, mov, mkv, webm, avi)."""

    domain: VideoDomain | str | None = Field(
        default=None,
        description="The domain identifier (e.g. `video.transcription`). Optional when a skill or a schema is provided in config.",
    )


class ImagePredictionRequest(Request, _Images):
    """Request to the VLM API using images."""

    domain: str | None = Field(
        default=None, description="The domain identifier (e.g. `image.caption`). Optional when a skill or a schema is provided in config."
    )


class DocumentExecuteRequest(_Execute, _File):
    """Run a domain by name over a document."""


class ImageExecuteRequest(_Execute, _Images):
    """Run a domain by name over images."""


class AudioExecuteRequest(_Execute, _File):
    """Run a domain by name over a recording of sound."""


class VideoExecuteRequest(_Execute, _File):
    """Run a domain by name over a video."""


class DocumentSchemaRequest(_Propose, _File):
    """Propose a schema from a document."""


class ImageSchemaRequest(_Propose, _Images):
    """Propose a schema from images."""


class AudioSchemaRequest(_Propose, _File):
    """Propose a schema from what is said in a recording."""


class VideoSchemaRequest(_Propose, _File):
    """Propose a schema from what is said and written in a video."""
