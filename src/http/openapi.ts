import { ERROR_TABLE, type ErrorCode } from '../errors.js';
import { statusOf } from './answers.js';
import { ERROR, type JsonSchema, type Route } from './route.js';

/** The OpenAPI 3.1 document of the routes, made from the schemas that requests are checked with. */
export function openApiDocument(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'mobilenetd',
      version,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description:
        'What the page of mobilenetd is made of. No configuration is written over HTTP. POST takes JSON.',
    },
    servers: [{ url: '.', description: 'the folder of this document' }],
    security: [{ session: [] }, { token: [] }],
    paths,
    components: {
      securitySchemes: {
        session: { type: 'apiKey', in: 'cookie', name: 'mobilenetd' },
        token: { type: 'http', scheme: 'bearer' },
      },
      schemas: { Error: ERROR },
    },
  };
}

function operationOf(route: Route): object {
  return {
    operationId: `${route.method} ${route.path}`
      .replace(/\W+(\w)/g, (_all, letter: string) => letter.toUpperCase())
      .replace(/\W/g, ''),
    summary: route.summary,
    ...(route.role === null ? { security: [] } : { description: `Role: ${route.role}.` }),
    parameters: [...pathParameters(route.path), ...queryParameters(route.query)],
    ...(route.body !== undefined && {
      requestBody: { required: true, content: { 'application/json': { schema: route.body } } },
    }),
    responses: responsesOf(route),
  };
}

const FAILED = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };

function responsesOf({ method, answer, errors = [], role, query }: Route): object {
  const content =
    typeof answer === 'string'
      ? { [answer]: { schema: answer === 'image/jpeg' ? {} : { type: 'string' } } }
      : { 'application/json': { schema: answer } };
  // Whoever calls by a wrong name or for another site, or floods the page, is turned away everywhere.
  const codes = new Set<ErrorCode>([...errors, 'MND_HTTP_FORBIDDEN', 'MND_HTTP_BUSY']);
  if (role !== null) codes.add('MND_HTTP_LOGIN');
  if (query !== undefined || method === 'post') codes.add('MND_HTTP_REQUEST');
  const failed = new Map<number, string[]>();
  for (const code of codes) {
    const status = statusOf(code);
    failed.set(status, [...(failed.get(status) ?? []), `${code}: ${ERROR_TABLE[code].summary}`]);
  }
  return {
    200: { description: 'As asked.', content },
    ...(answer === 'image/jpeg' && {
      204: { description: 'No newer picture came in time.' },
      304: { description: 'Not a newer one.' },
    }),
    ...Object.fromEntries(
      [...failed].map(([status, texts]) => [
        status,
        {
          description: texts.join('; '),
          content: FAILED,
        },
      ]),
    ),
    default: { description: 'A defect, which the log tells of.', content: FAILED },
  };
}

function pathParameters(path: string): object[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters(schema: JsonSchema | undefined): object[] {
  const properties = schema?.properties;
  if (typeof properties !== 'object' || properties === null) return [];
  return Object.entries(properties).map(([name, each]) => ({ name, in: 'query', schema: each }));
}
