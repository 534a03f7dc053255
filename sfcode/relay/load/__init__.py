"""Load past NPS answers from an export of Appcues, which become messages like those of webhooks."""
