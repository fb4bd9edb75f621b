/** A port as a container has it. */
export interface ContainerPort {
  port: number;
  protocol: string;
}

/** True for `80` and `80/udp`: what a container may expose. */
export function isPort(text: string): boolean {
  const match = /^(\d+)(?:\/(?:tcp|udp|sctp))?$/i.exec(text);
  return match !== null && Number(match[1]) >= 1 && Number(match[1]) <= 65535;
}

/** The port that a key of ExposedPorts or Ports names. */
export function portOf(key: string): ContainerPort {
  const [port, protocol = 'tcp'] = key.split('/');
  return { port: Number(port), protocol };
}
