// What the pages load beside their modules.

// KaTeX, which sets formulas: only what the pages call.
declare var katex: {
  render(tex: string, element: HTMLElement, options: { throwOnError: boolean; strict: boolean; output: string; trust: boolean }): void;
};

// Swagger UI, which draws the page of the API.
declare var SwaggerUIBundle: (options: object) => void;

// A number, or lists of them that are nested however deep.
type Nested<T> = T | Nested<T>[];

// Writes the text of a key; `known` tells whether there is one. `title`: of a problem by its code.
type Translate = ((key: string, ...values: any[]) => string) & { known: (key: string) => boolean; title: (code: string) => string | undefined };
