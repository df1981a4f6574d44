"""What an operator can set: by environment (`UPCARD_PORT`) or in `upcard.toml` (`port`). `.env` files are not read."""

import re
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource


class Settings(BaseSettings):
    """Every setting with its default; the README lists them."""

    model_config = SettingsConfigDict(env_prefix="UPCARD_", toml_file="upcard.toml", extra="forbid", frozen=True)

    data_dir: Path = Field(Path(".upcard"), description="Folder for the database and generated keys")
    database_url: str = Field("", description="SQLAlchemy URL; SQLite in the data folder if empty")
    host: str = Field("127.0.0.1", description="Address the host listens on")
    port: int = Field(8700, ge=1, le=65535, description="Port the host listens on")
    secret_keys: str = Field("", description="Keys that seal secrets at rest: a file, or kid:base64,kid:base64")
    allow_receivers: str = Field("", description="Callback addresses besides public https: host:port or CIDR:port")
    allow_services: str = Field("", description="Connection hosts besides the service's own: host:port")
    unregistered_flows: bool = Field(False, description="Whether a stream may name a URL instead of a flow")
    calls_per_second: int = Field(200, ge=0, description="Calls a second of each key, at each host; 0 for any number")
    worker: bool = Field(True, description="Whether this host works on streams, or only takes calls")
    repeat_window: int = Field(
        600,
        ge=0,
        le=86400,
        description="Seconds in which the same call that destroys is one",
    )
    kill_switch: bool = Field(False, description="Whether no disruptive card is sent at all")
    retry_pauses: str = Field("2,10", description="Seconds before a record is sent again, at most: once for each pause")
    retention_days: int = Field(30, ge=1, description="Days that runs are kept")

    @field_validator("retry_pauses")
    @classmethod
    def _are_seconds(cls, pauses: str) -> str:
        if not re.fullmatch(r"(\d+(\.\d+)?(,\d+(\.\d+)?)*)?", pauses):
            raise ValueError("Retry pauses must be seconds, with commas between them.")
        return pauses

    @property
    def schedule(self) -> list[float]:
        """The longest pauses before further attempts of a record, in seconds."""
        return [float(pause) for pause in self.retry_pauses.split(",") if pause]

    @property
    def store_url(self) -> str:
        """The database: a SQLite file in the data folder, unless another one is set."""
        return self.database_url or f"sqlite:///{self.data_dir / 'upcard.db'}"

    @property
    def address(self) -> str:
        """Where the host is called."""
        return f"http://[{self.host}]:{self.port}" if ":" in self.host else f"http://{self.host}:{self.port}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
