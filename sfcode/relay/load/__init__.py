"""Load past NPS answers from an export of Appcues, as messages like those of webhooks."""
