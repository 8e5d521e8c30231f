"""Settings: from `BONDED_*` variables, and from `bonded.toml` in the data folder."""

from __future__ import annotations

import os
import tomllib
from difflib import get_close_matches
from pathlib import Path

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from bonded.model.problems import BadInput

FILE = "bonded.toml"


def data_folder() -> Path:
    """The data folder: `BONDED_DATA`, else `bonded-data` where the command is run."""
    return Path(os.environ.get("BONDED_DATA") or "bonded-data").expanduser().absolute()


class Settings(BaseSettings):
    """What can be set. Sizes are in bytes, times in seconds."""

    model_config = SettingsConfigDict(env_prefix="BONDED_", extra="ignore")

    data: Path = Field(default_factory=data_folder)
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=64)
    url: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    trusted_proxy: bool = False
    access_log: bool = True
    max_file_size: int = Field(default=8 << 30, ge=1)

    @field_validator("data")
    @classmethod
    def _absolute(cls, data: Path) -> Path:
        # A shell leaves the `~` of `--data=~/feeds` to us, and systemd that of `Environment=`.
        return data.expanduser().absolute()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What the command says, then the environment, then the file."""
        toml = TomlConfigSettingsSource(settings_cls, data_folder() / FILE)
        return init_settings, env_settings, toml


def load(**given: object) -> Settings:
    """The settings; those given here win. Raises `BadInput` naming the one that is wrong."""
    _check_file(data_folder() / FILE)
    try:
        return Settings(**{k: v for k, v in given.items() if v is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise BadInput(
            f"The setting {name} cannot be used: {first['msg']}.",
            code="bad-setting",
            hint=f"It comes from the command line, BONDED_{name.upper()} or {FILE}.",
        ) from None


def _check_file(path: Path) -> None:
    """A name that is no setting is an error, with the nearest right one."""
    try:
        names = tomllib.loads(path.read_text("utf-8")).keys()
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read: {error}.", code="bad-settings-file") from None
    known = [name for name in Settings.model_fields if name != "data"]
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            raise BadInput(
                f"{path} sets {name!r}, which is no setting.",
                code="unknown-setting",
                hint=f"Did you mean {near[0]}?" if near else f"Settings are: {', '.join(known)}.",
            )
