import { describe, expect, it } from "vitest";
import { keepsToLan, type MeshSite, otherLans } from "../../components/mesh/mesh-site.ts";

const site = (name: string, lan: string, carriesLan = true): MeshSite => ({ name, lan, carriesLan });
const TOKYO = site("tokyo", "172.26.0.0/16");
const RACK = site("rack", "10.20.0.0/24");

describe("what a site keeps on its LAN", () => {
  it("is all of it, where the other sites have LANs of their own", () => {
    expect(keepsToLan([TOKYO, RACK], "rack")).toBe(true);
    expect(keepsToLan([TOKYO, RACK], "tokyo")).toBe(true);
  });

  it.each(["172.26.0.0/16", "172.26.9.0/24", "172.16.0.0/12"])(
    "is nothing of %s, where another site carries addresses of that range",
    (lan) => {
      const sites = [TOKYO, RACK, site("osaka", lan, false)];
      expect(keepsToLan(sites, "osaka")).toBe(false);
      // The first site has its neighbours on that range as before.
      expect(keepsToLan(sites, "tokyo")).toBe(true);
    },
  );

  it("is all of it, where no site of that range carries addresses", () => {
    const sites = [RACK, site("attic", "192.168.1.0/24", false), site("cellar", "192.168.1.0/24", false)];
    expect(keepsToLan(sites, "attic")).toBe(true);
  });
});

describe("the LANs that packets must not leave for in the clear", () => {
  it("are those of other sites that carry addresses, each once", () => {
    expect(otherLans([TOKYO, RACK, site("osaka", "172.26.0.0/16", false)], "rack")).toEqual(["172.26.0.0/16"]);
    expect(otherLans([TOKYO, RACK], "tokyo")).toEqual(["10.20.0.0/24"]);
  });

  it.each(["172.26.0.0/16", "172.26.9.0/24", "172.16.0.0/12"])(
    "are not those that share their range with the site's own %s",
    (lan) => {
      expect(otherLans([TOKYO, RACK, site("osaka", lan, false)], "osaka")).toEqual(["10.20.0.0/24"]);
    },
  );
});
