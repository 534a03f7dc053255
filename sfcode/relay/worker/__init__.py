"""Workers: claim messages, deliver them through a writer, settle them."""
