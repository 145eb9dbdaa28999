import { describe, expect, it } from "vitest";
import { chooseContacts, contactsFor, type ServerContact } from "../../components/k3s/contacts.ts";
import { HOST_KEY } from "../support/sample.ts";

const contact = (name: string, address = `10.0.0.${name.charCodeAt(0)}`): ServerContact => ({
  name,
  reach: address,
  host: address,
  port: 22,
  user: "root",
  hostKey: HOST_KEY,
});
const names = (contacts: readonly { name: string }[]): string => contacts.map(({ name }) => name).join("");

describe("the servers that memberships go through", () => {
  const [a, b, c, d] = [contact("a"), contact("b"), contact("c"), contact("d")];

  it("are all servers on the first run", () => {
    expect(names(chooseContacts([a, b, c], []))).toBe("abc");
  });

  it.each([
    ["a server is removed", [b, c], [a, b, c], "abc"],
    ["a server is added", [a, b, c, d], [a, b, c], "abc"],
    ["one of three has another address", [contact("a", "10.9.9.9"), b, c], [a, b, c], "abc"],
  ])("stay when %s, so that no other node is touched", (_, current, earlier, expected) => {
    expect(names(chooseContacts(current, earlier))).toBe(expected);
  });

  it.each([
    ["only one of them still is what it was", [a, contact("b", "10.9.9.9"), d], [a, b, c], "abd"],
    ["none of them is a server any more", [d], [a, b, c], "d"],
    ["the only server has another address", [contact("a", "10.9.9.9")], [a], "a"],
  ])("are chosen anew when %s", (_, current, earlier, expected) => {
    const chosen = chooseContacts(current, earlier);
    expect(names(chosen)).toBe(expected);
    expect(chosen).toEqual(current);
  });

  it("are the others for a node that leaves, and itself only when there is no other", () => {
    expect(names(contactsFor("a", [a, b, c]))).toBe("bc");
    expect(names(contactsFor("a", [a]))).toBe("a");
    expect(names(contactsFor("x", [a, b]))).toBe("ab");
  });
});
