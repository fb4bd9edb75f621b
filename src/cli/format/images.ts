import { shortId } from '../../common/index.ts';
import type { ImageSummary } from '../../wire/index.ts';
import type { RowMethods, TableSpec } from './rows.ts';
import { size3, size4 } from './size.ts';
import { ago, goTime } from './text.ts';

export const imageTable: TableSpec = {
  type: 'formatter.imageContext',
  headers: {
    ID: 'IMAGE ID',
    Repository: 'REPOSITORY',
    Tag: 'TAG',
    Digest: 'DIGEST',
    CreatedSince: 'CREATED',
    CreatedAt: 'CREATED AT',
    Size: 'SIZE',
    Containers: 'CONTAINERS',
    VirtualSize: 'SIZE',
    SharedSize: 'SHARED SIZE',
    UniqueSize: 'UNIQUE SIZE',
  },
};

/** The format of `images` (docker/cli formatter.NewImageFormat). */
export function imageFormat(format: string, quiet: boolean, digests: boolean): string {
  if (format === 'table' || format === '') {
    if (quiet) return '{{.ID}}';
    const digest = digests ? '\\t{{if .Digest }}{{.Digest}}{{else}}<none>{{end}}' : '';
    return `table {{.Repository}}\\t{{if .Tag }}{{.Tag}}{{else}}<none>{{end}}${digest}\\t{{.ID}}\\t{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}\\t{{.Size}}`;
  }
  if (format === 'raw') {
    if (quiet) return 'image_id: {{.ID}}';
    return `repository: {{ .Repository }}
${digests ? 'tag: {{.Tag}}\ndigest: {{.Digest}}\n' : 'tag: {{.Tag}}\n'}image_id: {{.ID}}
created_at: {{.CreatedAt}}
virtual_size: {{.Size}}
`;
  }
  // A custom format wins over `--quiet` here, unlike in `ps`.
  return format.startsWith('table') && digests && !format.includes('{{.Digest}}') ? `${format}\\t{{.Digest}}` : format;
}

interface NamedImage {
  image: ImageSummary;
  repository: string;
  tag: string;
  digest: string;
}

/** One entry for each name of an image; the nameless have one of their own (docker/cli formatter.imageFormatTaggedAndDigest). */
export function nameImages(images: readonly ImageSummary[], digests: boolean, wanted?: string): NamedImage[] {
  const result: NamedImage[] = [];
  for (const image of images) {
    const tags = new Map<string, string[]>();
    const byDigest = new Map<string, string[]>();
    const split = (text: string, mark: string): [string, string] => {
      const cut = text.lastIndexOf(mark);
      return [text.slice(0, cut), text.slice(cut + 1)];
    };
    const add = (map: Map<string, string[]>, [name, value]: [string, string]): void => {
      map.set(name, [...(map.get(name) ?? []), value]);
    };
    for (const tag of image.RepoTags ?? []) if (tag !== '<none>:<none>') add(tags, split(tag, ':'));
    for (const digest of image.RepoDigests ?? []) if (digest !== '<none>@<none>') add(byDigest, split(digest, '@'));
    if (tags.size === 0 && byDigest.size === 0) {
      result.push({ image, repository: '<none>', tag: '<none>', digest: '<none>' });
      continue;
    }
    for (const [repository, list] of tags) {
      const own = byDigest.get(repository) ?? [];
      byDigest.delete(repository);
      for (const tag of list)
        if (!digests || own.length === 0) result.push({ image, repository, tag, digest: '<none>' });
        else for (const digest of own) result.push({ image, repository, tag, digest });
    }
    for (const [repository, list] of byDigest)
      if (digests) for (const digest of list) result.push({ image, repository, tag: '<none>', digest });
      else if (tags.size === 0 || wanted !== undefined) result.push({ image, repository, tag: '<none>', digest: '' });
      else result.push({ image, repository, tag: '<none>', digest: list[0] ?? '' });
  }
  return result;
}

export function imageRow(
  { image, repository, tag, digest }: NamedImage,
  options: { trunc: boolean; nowMs: number },
): RowMethods {
  return {
    ID: () => (options.trunc ? shortId(image.Id) : image.Id),
    Repository: () => repository,
    Tag: () => tag,
    Digest: () => digest,
    CreatedSince: () => ago(image.Created, options.nowMs),
    CreatedAt: () => (image.Created <= 0 ? 'N/A' : goTime(image.Created)),
    Size: () => size3(image.Size),
    Containers: () => (image.Containers < 0 ? 'N/A' : String(image.Containers)),
    VirtualSize: () => size4(image.Size),
    SharedSize: () => (image.SharedSize < 0 ? 'N/A' : size3(image.SharedSize)),
    UniqueSize: () => (image.SharedSize < 0 ? 'N/A' : size3(image.Size - image.SharedSize)),
  };
}
