"""Hangs up on the first request for a path without an answer, and answers later ones with what it got so far: how many
requests for this path, and how many different bodies. A path that begins with /503 is always answered 503.
Writes the port that it got into the file named as argument."""

import socket
import sys

server = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[1], "w") as file:
    file.write(str(server.getsockname()[1]))

bodies = {}
while True:
    connection, _ = server.accept()
    with connection, connection.makefile("rb") as request:
        path = request.readline().decode("latin-1").partition(" ")[2].partition(" ")[0]
        length = 0
        while (line := request.readline().strip()):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        seen = bodies.setdefault(path, [])
        seen.append(request.read(length))
        told = b"%d requests, %d bodies of %d bytes" % (len(seen), len(set(seen)), length)
        if path.startswith("/503"):
            status = b"503 Service Unavailable"
        elif len(seen) > 1:
            status = b"200 OK"
        else:
            continue
        connection.sendall(b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (status, len(told), told))
