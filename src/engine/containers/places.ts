/** The snapshot by which a container sees an image that it mounts. */
export const imageSnapshot = (containerId: string, imageId: string): string =>
  `${containerId}-image-${imageId.slice(7, 19)}`;
