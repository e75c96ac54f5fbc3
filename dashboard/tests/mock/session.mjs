// @ts-check
/** A token before the API, and a cookie that stands for it: as the service has it, without its care. */

const COOKIE = "takings_session=here";

export class Door {
  /** The token that is needed; null for none. @type {string | null} */
  token = null;

  /** @param {import("node:http").IncomingMessage} request */
  isOpen({ headers }) {
    return this.token === null || (headers.cookie ?? "").includes(COOKIE) || headers.authorization === `Bearer ${this.token}`;
  }

  /** Answers for the session. @param {import("node:http").IncomingMessage} request @param {import("node:http").ServerResponse} answer */
  async answer(request, answer) {
    if (request.method === "GET") {
      json(answer, 200, { needed: this.token !== null, signed_in: this.token !== null && this.isOpen(request) });
    } else if (request.method === "DELETE") {
      answer.writeHead(204, { "set-cookie": "takings_session=; Path=/; Max-Age=0" }).end();
    } else {
      let body = "";
      for await (const part of request) body += String(part);
      const { token } = /** @type {{ token: string }} */ (JSON.parse(body));
      if (token === this.token) answer.writeHead(204, { "set-cookie": `${COOKIE}; HttpOnly; SameSite=Strict; Path=/` }).end();
      else this.refuse(answer);
    }
  }

  /** @param {import("node:http").ServerResponse} answer */
  refuse(answer) {
    json(answer, 401, { error: { code: "unauthorized", message: "a token is needed", hint: "send the token that the service was started with" } });
  }
}

/** @param {import("node:http").ServerResponse} answer @param {number} status @param {object} body */
function json(answer, status, body) {
  answer.writeHead(status, { "content-type": "application/json" });
  answer.end(JSON.stringify(body));
}
