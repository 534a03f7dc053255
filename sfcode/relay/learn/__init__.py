"""Learn the form of Appcues' webhooks from one that was received: propose the config that reads it."""
