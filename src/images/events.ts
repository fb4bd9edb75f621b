import type { StoredImage } from './book.ts';

export type Emit = (action: string, id: string, attributes: Record<string, string>) => void;

/** `image` events as moby's daemon/images/image_events.go writes them: the image's labels are attributes, `name` is what was meant. */
export interface ImageEvents {
  /** About an image by its id. */
  of(action: 'create' | 'delete' | 'import' | 'load' | 'save' | 'untag', image: StoredImage): void;
  tag(image: StoredImage, name: string): void;
  /** Pull and push are about a reference. */
  named(action: 'pull' | 'push', image: StoredImage, reference: string, name: string): void;
  /** A clean-up, with its numbers. */
  prune(attributes: Record<string, string>): void;
}

export function imageEvents(emit: Emit): ImageEvents {
  const labels = (image: StoredImage) => image.config.config?.Labels ?? {};
  return {
    // A deleted image has no labels any more.
    of: (action, image) => emit(action, image.id, { ...(action === 'delete' ? {} : labels(image)), name: image.id }),
    tag: (image, name) => emit('tag', image.id, { ...labels(image), name }),
    named: (action, image, reference, name) => emit(action, reference, { ...labels(image), name }),
    prune: (attributes) => emit('prune', '', attributes),
  };
}
