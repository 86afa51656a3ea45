"""A setting of the toolkit's own."""


def run(settings):
    print(f'own setting, project {settings.project_path}')
