import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { silentLogger } from '../../src/common/index.ts';
import { type ContentStore, openContentStore } from '../../src/content/index.ts';
import { type ImageStore, type ImagesOptions, openImageStore } from '../../src/images/index.ts';
import { type LayerStore, openLayerStore } from '../../src/layers/index.ts';
import { type Database, openDatabase } from '../../src/state/index.ts';
import type { ProgressMessage } from '../../src/wire/index.ts';

export interface TestImages {
  images: ImageStore;
  content: ContentStore;
  layers: LayerStore;
  db: Database;
  root: string;
  events: { action: string; id: string; attributes: Record<string, string> }[];
  /** Containers, by image id. */
  containers: { imageId: string; id: string; name: string; running: boolean }[];
  messages: ProgressMessage[];
  /** Of the progress: `status` or `stream` texts, with the layer's id where there is one. */
  lines: () => string[];
  progress: (message: ProgressMessage) => void;
  signal: AbortSignal;
  /** Ends this one and opens another over the same directory, as a daemon that was killed does. */
  reopen: () => Promise<TestImages>;
}

/** An image store of its own over real content and layers; closed and removed with the test. */
export async function openTestImages(
  t: TestContext,
  registry: Partial<ImagesOptions['registry']> = {},
): Promise<TestImages> {
  const root = await mkdtemp(join(tmpdir(), 'gt-images-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  return await openAt(t, root, registry);
}

async function openAt(t: TestContext, root: string, registry: Partial<ImagesOptions['registry']>): Promise<TestImages> {
  const db = openDatabase(join(root, 'state.db'));
  const content = await openContentStore(join(root, 'content'));
  const layers = await openLayerStore({
    dir: join(root, 'layers'),
    execRoot: join(root, 'run'),
    db,
    log: silentLogger,
  });
  await layers.reconcile(() => false);
  const events: TestImages['events'] = [];
  const containers: TestImages['containers'] = [];
  const messages: ProgressMessage[] = [];
  const images = await openImageStore({
    db,
    content,
    layers,
    users: { containersOf: (imageId) => containers.filter((container) => container.imageId === imageId) },
    emit: (action, id, attributes) => void events.push({ action, id, attributes }),
    registry: { insecure: [], mirrors: [], certDirs: [], maxDownloads: 3, maxUploads: 5, proxies: {}, ...registry },
    log: silentLogger,
    dataRoot: root,
  });
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await images.close();
    db.close();
  };
  t.after(close);
  return {
    images,
    content,
    layers,
    db,
    root,
    events,
    containers,
    messages,
    lines: () =>
      messages
        .filter(({ progressDetail }) => progressDetail?.current === undefined)
        .map(({ id, status, stream }) => `${id === undefined ? '' : `${id}: `}${status ?? stream?.trimEnd() ?? ''}`),
    progress: (message) => void messages.push(message),
    signal: new AbortController().signal,
    reopen: async () => {
      await close();
      return await openAt(t, root, registry);
    },
  };
}
