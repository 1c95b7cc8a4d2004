"""What arrived: bytes become `StopRequest`s, whoever sent them and however they are wrapped."""
