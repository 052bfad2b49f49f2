// A provider for the tests: whoever types a name is that person, with what the file
// PEOPLE says of them. Run with: node provider.mjs PORT CALLBACK PEOPLE
import { readFileSync } from "node:fs";
import Provider from "oidc-provider";

const [port, callback, people] = process.argv.slice(2);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: "write-console",
      client_secret: "only-for-the-tests-of-the-console",
      redirect_uris: [callback],
      token_endpoint_auth_method: "client_secret_post",
    },
  ],
  claims: {
    openid: ["sub"],
    profile: ["preferred_username", "given_name", "family_name"],
    email: ["email"],
    groups: ["groups"],
  },
  cookies: { keys: ["only-for-the-tests"] },
  findAccount: (_, sub) => ({
    accountId: sub,
    claims: () => ({ sub, ...JSON.parse(readFileSync(people, "utf8"))[sub] }),
  }),
  pkce: { required: () => true },
});

provider.listen(Number(port), "127.0.0.1", () => console.log("is listening"));
