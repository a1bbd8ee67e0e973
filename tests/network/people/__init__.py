"""One network for what people do: wallets, numbers, requests."""
