// @ts-check
/** A door between the browser and the service that a test can shut: the connection drops as a network's would. */
import { connect, createServer } from "node:net";

/** @param {string} target the service's URL */
export async function openGate(target) {
  const { hostname, port } = new URL(target);
  /** @type {Set<import("node:net").Socket>} */
  const sockets = new Set();
  let open = true;
  const server = createServer((near) => {
    if (!open) {
      near.destroy();
      return;
    }
    const far = connect(Number(port), hostname);
    for (const [socket, other] of /** @type {const} */ ([[near, far], [far, near]])) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      resolve(undefined);
    });
  });
  const shut = () => {
    open = false;
    for (const socket of sockets) socket.destroy();
  };
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${address.port}`,
    shut,
    reopen: () => {
      open = true;
    },
    close: () => {
      shut();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
