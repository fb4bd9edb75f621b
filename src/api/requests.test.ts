import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { conflict, notFound, notModified } from '../common/index.ts';
import type { CreateContainerBody } from '../wire/index.ts';
import { JSON_BODY, openTestApi } from './test-api.ts';

const message = (body: string): string => (JSON.parse(body) as { message: string }).message;

describe('credentials', () => {
  it('that cannot be read count as none; clients that have none send null', async () => {
    const seen: unknown[] = [];
    const pull = async ({ auth }: { auth?: unknown }) => void seen.push(auth);
    await using api = await openTestApi({ images: { pull } });
    for (const text of ['null', '[]', '{', '', '{"username":"a"}']) {
      const headers = { 'X-Registry-Auth': Buffer.from(text).toString('base64') };
      assert.equal((await api.ask('POST', '/images/create?fromImage=x&tag=y', { headers })).status, 200);
    }
    assert.deepEqual(seen.slice(0, 4), [undefined, undefined, undefined, undefined]);
    assert.equal((seen[4] as { username: string }).username, 'a');
  });
});

describe('versions', () => {
  it('refuses a version that is too new in JSON, one that is too old in the plain text that such clients read', async () => {
    await using api = await openTestApi({});
    const young = await api.ask('GET', '/v1.99/info');
    assert.equal(young.status, 400);
    assert.equal(message(young.body), 'client version 1.99 is too new. Maximum supported API version is 1.51');
    const old = await api.ask('GET', '/v1.23/info');
    assert.equal(old.status, 400);
    assert.match(old.head, /Content-Type: text\/plain/);
    assert.match(old.body, /^client version 1\.23 is too old\. Minimum supported API version is 1\.24/);
  });
  it('answers a ping of GET and HEAD with the headers that clients negotiate by', async () => {
    await using api = await openTestApi({});
    for (const method of ['GET', 'HEAD']) {
      const { status, head, body } = await api.ask(method, '/_ping');
      assert.equal(status, 200);
      assert.equal(body, method === 'GET' ? 'OK' : '');
      for (const header of [
        'Api-Version: 1.51',
        'Builder-Version: 1',
        'Docker-Experimental: false',
        'Ostype: linux',
        'Swarm: inactive',
        'Server: Gantry/0.0.0 (linux)',
      ])
        assert.ok(head.includes(header), `${method}: ${header} in ${head}`);
    }
  });
  it('answers OPTIONS of any path', async () => {
    await using api = await openTestApi({});
    assert.equal((await api.ask('OPTIONS', '/v1.44/any/where')).status, 200);
  });
  it('says page not found for what is no route, also where only the method is wrong', async () => {
    await using api = await openTestApi({});
    for (const [method, path] of [
      ['GET', '/nope'],
      ['POST', '/v1.51/_ping'],
      ['HEAD', '/v1.51/containers/json'],
    ] as const) {
      const { status, body } = await api.ask(method, path);
      assert.equal(status, 404);
      if (method !== 'HEAD') assert.equal(message(body), 'page not found');
    }
  });
});

describe('bodies', () => {
  const cases: [name: string, body: string, message: string][] = [
    ['an empty one', '', 'invalid JSON: got EOF while reading request body'],
    ['half of one', '{', 'invalid JSON: unexpected EOF'],
    ['two of them', '{"Image":"x"}{"a":1}', 'unexpected content after JSON'],
    ['text', 'hello', "invalid JSON: invalid character 'h' looking for beginning of value"],
    [
      'a quote where a name belongs',
      "{'a':1}",
      "invalid JSON: invalid character '\\'' looking for beginning of object key string",
    ],
    ['an escape that is none', '{"a":"\\x"}', 'invalid JSON: invalid escape sequence `\\x` in string'],
    [
      'a number in a list of texts',
      '{"Env":[1]}',
      'invalid JSON: json: cannot unmarshal number into .Env.0 of type string',
    ],
    ['a number for a command', '{"Cmd":5}', 'invalid JSON: json: cannot unmarshal number into Go value of type string'],
    [
      'a number that is too large',
      '{"HostConfig":{"Memory":1e30}}',
      'invalid JSON: json: cannot unmarshal number 1e+30 into Go struct field .HostConfig.Memory of type int64',
    ],
    [
      'a list for the ports of a port',
      '{"HostConfig":{"PortBindings":{"80/tcp":{}}}}',
      'invalid JSON: json: cannot unmarshal object into Go struct field .HostConfig.PortBindings.80~1tcp of type []nat.PortBinding',
    ],
    ['a list', '[]', 'invalid JSON: json: cannot unmarshal array into Go value of type container.CreateRequest'],
    [
      'a number for a text',
      '{"Image":5}',
      'invalid JSON: json: cannot unmarshal number into Go struct field .Image of type string',
    ],
    [
      'a text for a number',
      '{"HostConfig":{"Memory":"a"}}',
      'invalid JSON: json: cannot unmarshal string into Go struct field .HostConfig.Memory of type int64',
    ],
    [
      'a fraction',
      '{"HostConfig":{"Memory":1.5}}',
      'invalid JSON: json: cannot unmarshal number 1.5 into Go struct field .HostConfig.Memory of type int64',
    ],
    [
      'a text for a duration',
      '{"Healthcheck":{"Interval":"5s"}}',
      'invalid JSON: json: cannot unmarshal string into Go struct field .Healthcheck.Interval of type time.Duration',
    ],
    [
      'a wrong field in a list',
      '{"HostConfig":{"Ulimits":[{"Soft":"a"}]}}',
      'invalid JSON: json: cannot unmarshal string into Go struct field .HostConfig.Ulimits.0.Soft of type int64',
    ],
  ];
  for (const [name, body, expected] of cases)
    it(`refuses ${name} in Go's words`, async () => {
      await using api = await openTestApi({});
      const answer = await api.ask('POST', '/containers/create', { body, headers: JSON_BODY });
      assert.equal(answer.status, 400);
      assert.equal(message(answer.body), expected);
    });
  it('takes null for every field, as Go does', async () => {
    let seen: CreateContainerBody | undefined;
    await using api = await openTestApi({
      containers: {
        create: async (body) => {
          seen = body;
          return { Id: 'x', Warnings: [] };
        },
      },
    });
    const answer = await api.ask('POST', '/containers/create', {
      body: '{"Image":"a","Cmd":null,"Env":[null],"Labels":{"a":null},"HostConfig":{"Binds":null}}',
      headers: JSON_BODY,
    });
    assert.equal(answer.status, 201);
    assert.equal(seen?.Cmd, undefined);
    assert.equal(seen?.HostConfig?.Binds, undefined);
    assert.deepEqual([seen?.Env, seen?.Labels], [[''], { a: '' }]);
  });
  it('takes a closing bracket that follows for the end, as Go does', async () => {
    await using api = await openTestApi({ containers: { create: async () => ({ Id: 'x', Warnings: [] }) } });
    for (const rest of ['}', '\n]x', '}}{'])
      assert.equal(
        (await api.ask('POST', '/containers/create', { body: `{"Image":"a"}${rest}`, headers: JSON_BODY })).status,
        201,
        rest,
      );
  });
  it('refuses another content type by name', async () => {
    await using api = await openTestApi({});
    const answer = await api.ask('POST', '/containers/create', {
      body: '{}',
      headers: { 'Content-Type': 'text/plain' },
    });
    assert.equal(message(answer.body), "unsupported Content-Type header (text/plain): must be 'application/json'");
    const parameter = { body: '{}', headers: { 'Content-Type': 'application/json; charset' } };
    assert.match(
      message((await api.ask('POST', '/containers/create', parameter)).body),
      /mime: invalid media parameter$/,
    );
  });
  it('refuses a body that is too large without reading it', async () => {
    await using api = await openTestApi({});
    const client = await api.connect();
    client.send(
      'POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{',
    );
    assert.match(await client.until('too large'), /^HTTP\/1\.1 413 /);
    client.socket.destroy();
  });
  it('tells a client whose body was cut off, and asks nothing of the engine', async () => {
    let asked = false;
    await using api = await openTestApi({
      containers: {
        create: async () => {
          asked = true;
          return { Id: 'x', Warnings: [] };
        },
      },
    });
    const client = await api.connect();
    client.send(
      'POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"Image":',
    );
    client.socket.end();
    assert.match(await client.end(), /^HTTP\/1\.1 400 [\s\S]*unexpected EOF/);
    assert.equal(asked, false);
  });
});

describe('errors', () => {
  it('turns kinds of errors into statuses', async () => {
    await using api = await openTestApi({
      containers: {
        start: async () => {
          throw notModified('container already started');
        },
        remove: async () => {
          throw conflict('it runs');
        },
        inspect: async () => {
          throw notFound('No such container: x');
        },
        pause: async () => {
          throw new Error('boom');
        },
      },
    });
    const started = await api.ask('POST', '/containers/x/start');
    assert.equal(started.status, 304);
    assert.equal(started.body, '');
    assert.equal((await api.ask('DELETE', '/containers/x')).status, 409);
    const missing = await api.ask('GET', '/containers/x/json');
    assert.equal(missing.status, 404);
    assert.equal(missing.body, '{"message":"No such container: x"}\n');
    assert.equal((await api.ask('POST', '/containers/x/pause')).status, 500);
  });
  it('answers as a dockerd outside a swarm', async () => {
    await using api = await openTestApi({});
    for (const path of ['/swarm', '/nodes', '/services', '/tasks', '/secrets', '/configs']) {
      const { status, body } = await api.ask('GET', `/v1.51${path}`);
      assert.equal(status, 503);
      assert.match(message(body), /^This node is not a swarm manager/);
    }
    assert.equal((await api.ask('GET', '/plugins')).body, '[]\n');
  });
  it('refuses checkpoints, and does not start a container without the one that was asked for', async () => {
    await using api = await openTestApi({});
    for (const [method, path] of [
      ['GET', '/containers/x/checkpoints'],
      ['POST', '/containers/x/checkpoints'],
      ['DELETE', '/containers/x/checkpoints/one'],
      ['POST', '/containers/x/start?checkpoint=one'],
    ] as const) {
      const { status, body } = await api.ask(method, path);
      assert.equal(status, 501, path);
      assert.equal(message(body), 'checkpoints are not supported by this engine');
    }
  });
});

describe('names', () => {
  it('keeps slashes in the names of images, escaped or not', async () => {
    const seen: string[] = [];
    await using api = await openTestApi({
      images: {
        inspect: async (ref) => {
          seen.push(ref);
          return {};
        },
      },
    });
    await api.ask('GET', '/v1.51/images/host:5000/a/b:c/json');
    await api.ask('GET', '/v1.51/images/host%2Fa%40sha256:00/json');
    assert.deepEqual(seen, ['host:5000/a/b:c', 'host/a@sha256:00']);
  });
});

describe('the platform of an image', () => {
  const platform = (value: object) => encodeURIComponent(JSON.stringify(value));
  const amd64 = platform({ os: 'linux', architecture: 'amd64' });
  it('is looked at before an image is told of or removed', async () => {
    const asked: [string, string | undefined][] = [];
    await using api = await openTestApi({
      images: {
        resolve: (ref, wanted) => {
          asked.push([ref, wanted]);
          throw conflict('another platform');
        },
      },
    });
    for (const [method, path] of [
      ['GET', `/images/a/json?platform=${amd64}`],
      ['GET', `/images/a/history?platform=${amd64}`],
      ['DELETE', `/images/a?platforms=${amd64}`],
    ] as const)
      assert.equal(message((await api.ask(method, `/v1.51${path}`)).body), 'another platform', path);
    assert.deepEqual(asked, Array(3).fill(['a', 'linux/amd64']));
  });
  it('is refused in moby’s words where it is none', async () => {
    await using api = await openTestApi({ images: {} });
    for (const [query, words] of [
      ['platform=x', "failed to parse platform: invalid character 'x' looking for beginning of value"],
      [`platform=${platform({ os: 'linux' })}`, 'both OS and Architecture must be provided'],
      [`platform=${amd64}&platform=${amd64}`, 'multiple platform parameters not supported'],
      [`platform=${amd64}&manifests=1`, 'conflicting options: manifests and platform options cannot both be set'],
    ]) {
      const { status, body } = await api.ask('GET', `/v1.51/images/a/json?${query}`);
      assert.deepEqual([status, message(body)], [400, words]);
    }
  });
});

describe('a refused request with a body', () => {
  const upload = 'POST /images/create?fromSrc=- HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n';
  const refuse = async (): Promise<never> => {
    throw conflict('not this one');
  };
  it('is answered when the client has sent it, and its connection goes on', async () => {
    await using api = await openTestApi({ images: { importArchive: refuse } });
    const client = await api.connect();
    client.send(`${upload}4\r\nsome\r\n`);
    setTimeout(() => client.send('4\r\nmore\r\n0\r\n\r\n'), 50);
    assert.match(await client.until('not this one'), /^HTTP\/1\.1 409 /);
    client.send('GET /_ping HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n');
    assert.match(await client.end(), /HTTP\/1\.1 200 OK[\s\S]*OK$/);
  });
  it('is answered in any case when the client takes its time, and its connection closes', async () => {
    await using api = await openTestApi({ images: { importArchive: refuse } });
    const client = await api.connect();
    client.send(`${upload}4\r\nsome\r\n`);
    assert.match(await client.end(), /^HTTP\/1\.1 409 [\s\S]*not this one/);
  });
});
