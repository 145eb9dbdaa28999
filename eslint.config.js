import pulumi from "@pulumi/eslint-plugin";
import jsdoc from "eslint-plugin-jsdoc";
import tseslint from "typescript-eslint";

const noResourceInApply = {
  selector:
    "CallExpression[callee.property.name=apply] NewExpression:not([callee.name=/Error$|^URL$|^Map$|^Set$|^Date$/]):not([callee.property.name=/Error$/])",
  message: "A resource made inside apply is missing from the preview. Decide what exists from plain values.",
};

export default tseslint.config(
  { ignores: ["node_modules/", "coverage/"] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { "@pulumi": pulumi },
    rules: {
      "@pulumi/no-output-in-template-literal": "error",
      "@pulumi/no-output-instance-in-template-literal": "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "max-lines": ["error", { max: 400 }],
      "max-lines-per-function": ["error", { max: 60, skipComments: true, skipBlankLines: true }],
      "no-restricted-syntax": ["error", noResourceInApply],
    },
  },
  {
    // Every export says what it is.
    files: ["**/*.ts"],
    ignores: ["test/**/*.test.ts", "*.config.ts"],
    plugins: { jsdoc },
    rules: {
      "jsdoc/require-jsdoc": [
        "error",
        {
          publicOnly: true,
          contexts: [
            "TSInterfaceDeclaration",
            "TSTypeAliasDeclaration",
            "ExportNamedDeclaration > VariableDeclaration",
          ],
          require: {
            FunctionDeclaration: true,
            ClassDeclaration: true,
            ArrowFunctionExpression: true,
            MethodDefinition: false,
          },
          checkConstructors: false,
        },
      ],
    },
  },
  {
    // Data flows settings → stacks → components, and one way only.
    files: ["components/**/*.ts"],
    rules: {
      "no-restricted-imports": ["error", { patterns: [{ group: ["**/stacks/**", "**/rehearsal/**", "**/tools/**"] }] }],
      "no-restricted-properties": [
        "error",
        {
          object: "process",
          property: "env",
          message: "Components take arguments; only stacks/settings.ts reads configuration.",
        },
        { object: "pulumi", property: "Config", message: "Only stacks/settings.ts reads configuration." },
      ],
    },
  },
  {
    // Only components/host/ reaches out: its wrapper pins host keys, budgets time and hides secrets.
    files: ["components/**/*.ts", "stacks/**/*.ts", "index.ts"],
    ignores: ["components/host/**"],
    rules: {
      "no-restricted-imports": ["error", { paths: [{ name: "@pulumi/command", message: "Use components/host/." }] }],
    },
  },
  {
    files: ["test/**/*.ts"],
    rules: { "max-lines-per-function": "off", "@typescript-eslint/no-non-null-assertion": "off" },
  },
  {
    files: ["*.js"],
    extends: [tseslint.configs.disableTypeChecked],
    rules: {
      "@pulumi/no-output-in-template-literal": "off",
      "@pulumi/no-output-instance-in-template-literal": "off",
    },
  },
);
