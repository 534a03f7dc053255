"""What a token endpoint says when it will not."""

from __future__ import annotations


class OAuthError(Exception):
    """One refusal: `{"error": ..., "error_description": ...}`."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description

    @property
    def body(self) -> dict[str, str]:
        """The answer."""
        return {"error": self.error, "error_description": self.description}
