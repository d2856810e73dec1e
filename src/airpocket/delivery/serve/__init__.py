"""The web face: HTTP and websocket on loopback, fed by an engine and a player in processes of their own."""
