import type { ContainerSummary } from '../../client/index.ts';
import { shortId } from '../../common/index.ts';
import type { ImageSummary } from '../../wire/index.ts';
import { size3 } from './size.ts';

/** Images with their names, and under each the containers made from it. */
export function imageTree(images: readonly ImageSummary[], containers: readonly ContainerSummary[]): string {
  let out = '';
  for (const image of images) {
    const names = (image.RepoTags ?? []).filter((tag) => tag !== '<none>:<none>');
    out += `${names.join(', ') || '<none>'}  ${shortId(image.Id)}  ${size3(image.Size)}\n`;
    const users = containers.filter((container) => container.ImageID === image.Id);
    for (const [index, user] of users.entries())
      out += `${index === users.length - 1 ? '└─ ' : '├─ '}${user.Names[0]?.replace(/^\//, '') ?? ''}  ${shortId(user.Id)}  ${user.Status}\n`;
  }
  return out;
}
