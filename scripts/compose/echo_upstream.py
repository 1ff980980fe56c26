"""Answers every request with its own head, byte for byte. Writes the port that it got into the file named as argument."""

import socket
import sys

server = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[1], "w") as file:
    file.write(str(server.getsockname()[1]))

while True:
    connection, _ = server.accept()
    with connection:
        received = b""
        while b"\r\n\r\n" not in received:
            chunk = connection.recv(65536)
            if not chunk:
                break
            received += chunk
        head = received.split(b"\r\n\r\n", 1)[0]
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(head), head))
