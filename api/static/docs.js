// Renders the OpenAPI document with the Swagger UI that is served from here: an office may have no internet.
"use strict";

const root = document.getElementById("swagger-ui");

SwaggerUIBundle({
  url: root.dataset.openapi,
  domNode: root,
  deepLinking: true,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  // The validator is a service on the internet.
  validatorUrl: null,
  tryItOutEnabled: true,
  persistAuthorization: false,
});
