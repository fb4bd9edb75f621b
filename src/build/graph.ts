import { invalid } from '../common/index.ts';
import type { Dockerfile, Stage } from '../dockerfile/index.ts';

/** The stage that a name or number means to the stage `before`: only earlier ones. */
export function stageNamed(file: Dockerfile, name: string, before: number): Stage | undefined {
  const wanted = name.toLowerCase();
  const earlier = file.stages.slice(0, before);
  return earlier.findLast((stage) => stage.name === wanted) ?? (/^\d+$/.test(name) ? earlier[Number(name)] : undefined);
}

export function targetStage(file: Dockerfile, target: string | undefined): Stage {
  const last = file.stages.at(-1)!;
  if (target === undefined) return last;
  const found =
    file.stages.find((stage) => stage.name === target.toLowerCase()) ??
    (/^\d+$/.test(target) ? file.stages[Number(target)] : undefined);
  if (found === undefined) throw invalid(`target stage ${JSON.stringify(target)} could not be found`);
  return found;
}

/** The stages that a stage stands on, itself last; `baseOf` gives a FROM's name with its variables replaced. */
export function neededStages(file: Dockerfile, target: Stage, baseOf: (stage: Stage) => string): Stage[] {
  const needed = new Set<number>();
  const visit = (stage: Stage): void => {
    if (needed.has(stage.index)) return;
    needed.add(stage.index);
    for (const name of references(stage, baseOf(stage))) {
      const other = stageNamed(file, name, stage.index);
      if (other !== undefined) visit(other);
    }
  };
  visit(target);
  return file.stages.filter((stage) => needed.has(stage.index));
}

function references(stage: Stage, base: string): string[] {
  const found = [base];
  for (const instruction of stage.instructions) {
    if ((instruction.name === 'COPY' || instruction.name === 'ADD') && instruction.from !== undefined)
      found.push(instruction.from);
    if (instruction.name === 'RUN')
      for (const mount of instruction.mounts) {
        const from = /(?:^|,)from=([^,]*)/.exec(mount)?.[1];
        if (from !== undefined) found.push(from);
      }
    // A trigger is run in a later stage that this one is the base of: what it needs must be there.
    if (instruction.name === 'ONBUILD')
      found.push(...[...instruction.trigger.matchAll(/[-,]from=([^,\s]*)/g)].map((match) => match[1]!));
  }
  return found;
}
