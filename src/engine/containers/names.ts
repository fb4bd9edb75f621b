import { randomInt } from 'node:crypto';
import { invalid } from '../../common/index.ts';

const ADJECTIVES =
  'able,agile,amber,bold,brave,bright,calm,candid,clever,cosmic,crisp,daring,deft,eager,earnest,fair,fervent,fond,frank,gentle,glad,golden,grand,happy,hardy,honest,humble,jolly,keen,kind,lively,loyal,lucid,mellow,merry,mild,modest,neat,nimble,noble,patient,placid,proud,quick,quiet,radiant,rapid,ready,robust,serene,sharp,silent,sincere,sleek,smart,solid,stoic,sunny,swift,tender,tidy,trusty,upbeat,vivid,warm,wise,witty,zealous'.split(
    ',',
  );
const SURNAMES =
  'abel,ampere,archimedes,babbage,banach,bell,bohr,boole,cantor,carson,cauchy,church,cori,curie,darwin,dijkstra,dirac,edison,einstein,erdos,euclid,euler,faraday,fermat,fermi,feynman,fourier,franklin,galileo,galois,gauss,germain,goedel,hamilton,hawking,heisenberg,herschel,hilbert,hodgkin,hopper,hubble,huygens,hypatia,joule,kepler,knuth,kovalevskaya,lagrange,lamarr,laplace,leibniz,liskov,lovelace,maxwell,mccarthy,meitner,mendel,minsky,morse,nash,neumann,newton,nobel,noether,pascal,pasteur,pauling,perlman,planck,poincare,ptolemy,ramanujan,riemann,ritchie,sagan,shannon,swartz,tesla,thompson,torvalds,turing,volta,wescoff,wilson,wozniak,wright,yalow'.split(
    ',',
  );

/** `adjective_surname`; a digit is added when the caller could not take the plain one. */
export function randomName(attempt: number): string {
  const name = `${ADJECTIVES[randomInt(ADJECTIVES.length)]}_${SURNAMES[randomInt(SURNAMES.length)]}`;
  return attempt === 0 ? name : `${name}${randomInt(10)}`;
}

/** Throws in moby's words unless the name is `[a-zA-Z0-9][a-zA-Z0-9_.-]+`. */
export function checkName(given: string): string {
  const name = given.replace(/^\//, '');
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name))
    throw invalid(`Invalid container name (${given}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`);
  return name;
}
