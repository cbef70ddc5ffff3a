// The page is the bundle's own view of /openapi.json; nothing else is loaded, from here or elsewhere.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#api",
  deepLinking: true,
  defaultModelsExpandDepth: 1,
  tryItOutEnabled: true,
  validatorUrl: null,
});
