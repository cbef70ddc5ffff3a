// The rules for the JavaScript of the service's pages: ESLint's own recommendations, and what keeps modules small and plain.
import js from "@eslint/js";
import globals from "globals";

const pages = "service/deltawire_service/{explorer,docs}/";

export default [
  { ignores: ["**/vendor/**"] },
  {
    files: [`${pages}**/*.js`],
    ...js.configs.recommended,
    languageOptions: { ecmaVersion: 2022, sourceType: "module", globals: { ...globals.browser, SwaggerUIBundle: "readonly" } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      ...js.configs.recommended.rules,
      eqeqeq: "error",
      "max-lines": ["error", 200],
      "no-console": "error",
      "no-implicit-coercion": "error",
      "no-unused-vars": ["error", { varsIgnorePattern: "^_", ignoreRestSiblings: true }],
      "no-var": "error",
      "no-useless-rename": "error",
      "no-constant-binary-expression": "error",
      "object-shorthand": "error",
      "prefer-const": ["error", { destructuring: "all" }],
      "prefer-template": "error",
      "array-callback-return": "error",
      "no-return-assign": ["error", "except-parens"],
      "no-shadow": "off",
    },
  },
];
