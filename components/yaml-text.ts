import { type ScalarTag, stringify } from "yaml";

/** An octal number as YAML 1.2 writes it, which the readers of 1.1 below know as well. */
const OCTAL: ScalarTag = {
  tag: "tag:yaml.org,2002:int",
  default: true,
  format: "OCT",
  test: /^[-+]?0o[0-7_]+$/,
  resolve: (text) => Number(text),
};

/**
 * YAML for a program written in Go, such as helm, k3s or Kubernetes: those read YAML 1.1 still, where `no` is false and `on`
 * is true, so a site or a taint of that name is put into quotes. https://pkg.go.dev/gopkg.in/yaml.v3#readme-compatibility
 */
export const yamlText = (value: unknown): string =>
  stringify(value, {
    version: "1.1",
    customTags: (tags) => [...tags, OCTAL],
    // Not every reader knows anchors, and none of them breaks long lines as we would.
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });
