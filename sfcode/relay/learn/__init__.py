"""Learn the format of Appcues' webhooks from a received one: propose the config that reads it."""
