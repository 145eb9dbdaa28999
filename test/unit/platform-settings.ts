import { parseSettings, SettingsError } from "../../stacks/settings.ts";
import { goodFixture } from "./settings-fixtures.ts";

/** What is said of settings of releases, in a region that is fine otherwise; nothing where they hold together. */
export function said(platform: unknown): readonly string[] {
  const { settings, regions } = goodFixture("minimal");
  try {
    parseSettings({ ...settings, platform }, regions);
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
  return [];
}
